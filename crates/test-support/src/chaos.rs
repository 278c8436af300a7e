//! A small TCP proxy that does what networks do: refuse, cut, reset, hold back, delay, slow down, lose the last word.
//!
//! What it does is said by the test, or drawn from a seed by [`Dice`]. Faults strike at a place in the traffic (the nth
//! time some bytes pass), not at a time, so that a test is the same test each time it runs.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::watch,
};

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From who connected to the server behind the proxy.
    Up,
    /// Back.
    Down,
}

/// What happens to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is closed; the bytes do not arrive.
    Cut,
    /// It is reset; the bytes do not arrive.
    Reset,
    /// The bytes arrive and are answered, but it is cut before the answer arrives.
    CutAfter,
    /// The bytes and all that follows them wait for [`Proxy::release`].
    Hold,
    /// The bytes wait for a time.
    Delay(Duration),
    /// From here on bytes come a few at a time.
    Trickle,
}

struct Rule {
    way: Way,
    mark: Vec<u8>,
    left: usize,
    fault: Fault,
}

#[derive(Default)]
struct State {
    rules: Vec<Rule>,
    /// Faults that struck.
    struck: usize,
    accepted: usize,
    /// Connections made before this generation are cut.
    generation: u64,
    is_open: bool,
    /// Until when bytes that are held are let go.
    released: u64,
    is_over: bool,
}

struct Shared {
    target: SocketAddr,
    state: Mutex<State>,
    changed: watch::Sender<()>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let changed = change(&mut self.lock());
        self.changed.send_replace(());
        changed
    }

    async fn until(&self, holds: impl Fn(&State) -> bool) {
        let mut changed = self.changed.subscribe();
        while !holds(&self.lock()) {
            if changed.changed().await.is_err() {
                return;
            }
        }
    }
}

/// A proxy in front of one server. It ends with this value. It has a thread of its own, so that a test may block.
pub struct Proxy {
    /// Where it listens, on this machine.
    pub port: u16,
    shared: Arc<Shared>,
}

impl Proxy {
    /// A proxy in front of `target` that lets everything through.
    ///
    /// # Panics
    /// If no port or thread can be had.
    #[must_use]
    pub fn new(target: SocketAddr) -> Self {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let state = State { is_open: true, ..State::default() };
        let changed = watch::Sender::new(());
        let shared = Arc::new(Shared { target, state: Mutex::new(state), changed });
        let proxy = Self { port, shared: Arc::clone(&shared) };
        std::thread::Builder::new()
            .name("chaos".to_owned())
            .spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .expect("a runtime");
                runtime.block_on(serve(shared, listener, port));
            })
            .expect("a thread");
        proxy
    }

    /// Does this when `mark` passes for the `nth` time from now (from 1), on whichever connection. Once.
    pub fn when(&self, way: Way, mark: impl Into<Vec<u8>>, nth: usize, fault: Fault) {
        let rule = Rule { way, mark: mark.into(), left: nth.max(1), fault };
        assert!(!rule.mark.is_empty(), "nothing is everywhere");
        self.shared.change(|state| state.rules.push(rule));
    }

    /// Forgets what has not struck yet.
    pub fn calm(&self) {
        self.shared.change(|state| state.rules.clear());
    }

    /// How many faults struck so far.
    #[must_use]
    pub fn struck(&self) -> usize {
        self.shared.lock().struck
    }

    /// Waits until so many faults struck.
    pub async fn strikes(&self, count: usize) {
        self.shared.until(|state| count <= state.struck).await;
    }

    /// How many connections were taken so far.
    #[must_use]
    pub fn accepted(&self) -> usize {
        self.shared.lock().accepted
    }

    /// Cuts every connection; new ones are taken.
    pub fn cut(&self) {
        self.shared.change(|state| state.generation += 1);
    }

    /// Cuts every connection and takes no new ones.
    pub fn shut(&self) {
        self.shared.change(|state| {
            state.is_open = false;
            state.generation += 1;
        });
    }

    /// Takes connections again.
    pub fn open(&self) {
        self.shared.change(|state| state.is_open = true);
    }

    /// Lets go what is held.
    pub fn release(&self) {
        self.shared.change(|state| state.released += 1);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.change(|state| {
            state.is_over = true;
            state.generation += 1;
        });
    }
}

async fn serve(shared: Arc<Shared>, first: std::net::TcpListener, port: u16) {
    let mut first = Some(first);
    loop {
        shared.until(|state| state.is_open || state.is_over).await;
        if shared.lock().is_over {
            return;
        }
        let listener = match first.take() {
            Some(listener) => {
                listener.set_nonblocking(true).and_then(|()| TcpListener::from_std(listener))
            }
            None => TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await,
        };
        let listener = listener.expect("the port again");
        loop {
            let shut = shared.until(|state| !state.is_open || state.is_over);
            let (stream, _) = tokio::select! {
                () = shut => break,
                accepted = listener.accept() => accepted.expect("a connection"),
            };
            let generation = shared.change(|state| {
                state.accepted += 1;
                state.generation
            });
            tokio::spawn(forward(Arc::clone(&shared), stream, generation));
        }
    }
}

/// How a connection ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// One side has said everything.
    Said,
    Cut,
    Reset,
}

/// Ends when the connection does, in one way or the other.
async fn forward(shared: Arc<Shared>, mut near: TcpStream, generation: u64) {
    let Ok(mut far) = TcpStream::connect(shared.target).await else { return };
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    let ends_after = AtomicBool::new(false);
    let end = {
        let (near_read, near_write) = near.split();
        let (far_read, far_write) = far.split();
        let up = pipe(&shared, Way::Up, near_read, far_write, &ends_after);
        let down = pipe(&shared, Way::Down, far_read, near_write, &ends_after);
        let cut = shared.until(|state| generation < state.generation);
        tokio::pin!(up, down, cut);
        let (first, is_up) = tokio::select! {
            end = &mut up => (end, true),
            end = &mut down => (end, false),
            () = &mut cut => (End::Cut, false),
        };
        if is_up && first == End::Said {
            // Who has said everything may still listen.
            tokio::select! {
                end = &mut down => end,
                () = &mut cut => End::Cut,
            }
        } else {
            first
        }
    };
    finish(&near, &far, end);
}

fn finish(near: &TcpStream, far: &TcpStream, end: End) {
    if end == End::Reset {
        // Closing says RST then.
        let _ = (near.set_zero_linger(), far.set_zero_linger());
    }
}

async fn pipe(
    shared: &Shared,
    way: Way,
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    ends_after: &AtomicBool,
) -> End {
    let mut buffer = vec![0; 16 << 10];
    let mut seen = Seen::default();
    let mut trickles = false;
    loop {
        let read = match from.read(&mut buffer).await {
            Err(_) => return End::Cut,
            Ok(0) => {
                let _ = to.shutdown().await;
                return End::Said;
            }
            Ok(read) => &buffer[..read],
        };
        if way == Way::Down && ends_after.load(Ordering::Acquire) {
            return End::Cut;
        }
        match shared.change(|state| state.strike(way, &mut seen, read)) {
            None => {}
            Some((Fault::Cut, _)) => return End::Cut,
            Some((Fault::Reset, _)) => return End::Reset,
            Some((Fault::CutAfter, _)) => ends_after.store(true, Ordering::Release),
            Some((Fault::Hold, released)) => shared.until(|state| released < state.released).await,
            Some((Fault::Delay(time), _)) => tokio::time::sleep(time).await,
            Some((Fault::Trickle, _)) => trickles = true,
        }
        let pieces = read.chunks(if trickles { 7 } else { read.len() });
        for piece in pieces {
            if to.write_all(piece).await.is_err() {
                return End::Cut;
            }
            if trickles {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    }
}

/// The end of what passed on a connection, for marks that come in two pieces.
#[derive(Default)]
struct Seen(Vec<u8>);

impl Seen {
    /// How often `mark` is complete with this piece and was not before.
    fn count(&self, piece: &[u8], mark: &[u8]) -> usize {
        let before = self.0.len();
        let all = [self.0.as_slice(), piece].concat();
        let ends = all.windows(mark.len()).enumerate().filter(|(_, window)| *window == mark);
        ends.filter(|(at, _)| before < at + mark.len()).count()
    }

    fn add(&mut self, piece: &[u8]) {
        self.0.extend_from_slice(piece);
        let extra = self.0.len().saturating_sub(256);
        self.0.drain(..extra);
    }
}

impl State {
    /// The fault that strikes with this piece, and what had been released by then.
    fn strike(&mut self, way: Way, seen: &mut Seen, piece: &[u8]) -> Option<(Fault, u64)> {
        let mut struck = None;
        for (index, rule) in self.rules.iter_mut().enumerate().filter(|(_, rule)| rule.way == way) {
            let count = seen.count(piece, &rule.mark);
            if count < rule.left {
                rule.left -= count;
            } else if struck.is_none() {
                struck = Some(index);
            }
        }
        seen.add(piece);
        let rule = self.rules.remove(struck?);
        self.struck += 1;
        Some((rule.fault, self.released))
    }
}

/// Random numbers from a seed: the same seed is the same sequence.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Dice of `CHAOS_SEED`, or of a new seed. Says which on the standard error, where a failed test shows it.
    ///
    /// # Panics
    /// If `CHAOS_SEED` is no number.
    #[must_use]
    pub fn from_env() -> Self {
        let seed = match std::env::var("CHAOS_SEED") {
            Ok(seed) => seed.parse().expect("CHAOS_SEED is a number"),
            Err(_) => uuid::Uuid::new_v4().as_u64_pair().0,
        };
        eprintln!("CHAOS_SEED={seed}");
        Self(seed)
    }

    /// The next number.
    pub fn roll(&mut self) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.roll() % limit.max(1)
    }

    /// One of these.
    ///
    /// # Panics
    /// If there is none.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        let index = self.below(from.len() as u64);
        &from[usize::try_from(index).expect("an index")]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_counted_once_also_in_two_pieces() {
        let mut state = State::default();
        let rule = |left| Rule { way: Way::Up, mark: b"abc".to_vec(), left, fault: Fault::Cut };
        state.rules.push(rule(3));
        let mut seen = Seen::default();
        for piece in ["xab", "c", "abca", "b"] {
            assert!(state.strike(Way::Up, &mut seen, piece.as_bytes()).is_none(), "{piece}");
        }
        assert!(state.strike(Way::Down, &mut Seen::default(), b"abcabcabc").is_none());
        assert_eq!(state.strike(Way::Up, &mut seen, b"c"), Some((Fault::Cut, 0)));
        assert_eq!((state.struck, state.rules.len()), (1, 0));
    }

    #[test]
    fn a_seed_is_a_sequence() {
        let mut a = Dice(7);
        let mut b = a.clone();
        let rolled: Vec<u64> = (0..9).map(|_| a.below(6)).collect();
        assert_eq!(rolled, (0..9).map(|_| b.below(6)).collect::<Vec<_>>());
        assert!(rolled.iter().any(|it| *it != rolled[0]));
    }
}
