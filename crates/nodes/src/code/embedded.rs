//! Running code without a sandbox service: JavaScript in this process, Python in a child that may do little.
//!
//! Both have a time limit, a memory limit and no network. The Python child gets an empty environment, and an audit
//! hook keeps it from opening files outside its library, from starting programs and from calling native code; that
//! guards against mistakes and idle curiosity. Servers on which strangers write code should run the sandbox service.

use std::{process::Stdio, sync::Arc, time::Duration};

use async_trait::async_trait;
use graph::Object;
use rquickjs::{CatchResultExt as _, Context, Runtime};
use serde_json::{Map, Value as Json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    process::Command,
    sync::Semaphore,
    time::{Instant, timeout},
};

use super::run::{CodeError, CodeRunner, Language, parse, program, result};

/// Time for one run.
const TIME: Duration = Duration::from_secs(15);

/// Memory of JavaScript in bytes.
const MEMORY: usize = 128 * 1024 * 1024;

/// Stack of JavaScript in bytes; blocking threads have two megabytes.
const STACK: usize = 512 * 1024;

/// Bytes of output that are read.
const OUTPUT: u64 = 16 * 1024 * 1024;

/// Runs at once.
const AT_ONCE: usize = 4;

/// Limits the process, then runs the program of its input.
const PYTHON: &str = r#"
import sys
_source = sys.stdin.read()
import base64, json, os, re, math, random, datetime, time, string, itertools, functools, collections, hashlib, decimal
try:
    import resource
    for _name, _limit in (("RLIMIT_CPU", 15), ("RLIMIT_AS", 1 << 30), ("RLIMIT_FSIZE", 0), ("RLIMIT_CORE", 0), ("RLIMIT_NPROC", 0), ("RLIMIT_NOFILE", 32)):
        try:
            resource.setrlimit(getattr(resource, _name), (_limit, _limit))
        except (ValueError, OSError, AttributeError):
            pass
except ImportError:
    pass
def _guard():
    realpath, roots, sep = os.path.realpath, [], os.sep
    for path in {sys.prefix, sys.base_prefix, sys.exec_prefix, os.path.dirname(os.__file__)}:
        path = realpath(path)
        roots.append(path if path.endswith(sep) else path + sep)
    library = tuple(root + part for root in roots for part in ("lib" + sep, "lib64" + sep)) + (realpath(os.path.dirname(os.__file__)) + sep,)
    denied = ("socket.", "subprocess.", "ctypes.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.startfile",
              "os.kill", "os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.chmod", "os.chown", "os.link", "os.symlink", "os.truncate",
              "os.putenv", "os.unsetenv", "os.chdir", "os.listxattr", "os.setxattr", "shutil.", "pty.", "signal.", "sys.addaudithook",
              "sqlite3.", "ftplib.", "http.client", "urllib.", "smtplib.", "mmap.", "gc.", "syslog.", "tempfile.")
    def hook(event, arguments):
        if event.startswith(denied):
            raise PermissionError("not permitted: " + event)
        if event in ("open", "os.listdir", "os.scandir", "glob.glob"):
            path = arguments[0] if arguments else None
            if isinstance(path, int):
                return
            if isinstance(path, bytes):
                path = path.decode("utf-8", "replace")
            mode = arguments[1] if event == "open" and len(arguments) > 1 else None
            writes = isinstance(mode, str) and any(letter in mode for letter in "wax+")
            if writes or not isinstance(path, str) or not (realpath(path) + sep).startswith(library):
                raise PermissionError("not permitted: " + event)
    sys.addaudithook(hook)
_guard()
del _guard
exec(compile(_source, "<string>", "exec"), {"__name__": "__main__", "__builtins__": __builtins__})
"#;

/// Runs code on this machine.
#[derive(Debug, Clone)]
pub struct Embedded {
    slots: Arc<Semaphore>,
}

impl Default for Embedded {
    fn default() -> Self {
        Self { slots: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

#[async_trait]
impl CodeRunner for Embedded {
    async fn run(
        &self,
        language: Language,
        code: &str,
        inputs: Map<String, Json>,
    ) -> Result<Object, CodeError> {
        let _slot = self.slots.acquire().await.map_err(|err| CodeError(err.to_string()))?;
        match language {
            Language::Python => python(code, &inputs).await,
            Language::JavaScript => {
                let code = code.to_owned();
                let run = tokio::task::spawn_blocking(move || javascript(&code, &inputs));
                run.await.map_err(|err| CodeError(err.to_string()))?
            }
        }
    }
}

fn javascript(code: &str, inputs: &Map<String, Json>) -> Result<Object, CodeError> {
    let failed = |err: rquickjs::Error| CodeError(err.to_string());
    let runtime = Runtime::new().map_err(failed)?;
    runtime.set_memory_limit(MEMORY);
    runtime.set_max_stack_size(STACK);
    let end = Instant::now() + TIME;
    runtime.set_interrupt_handler(Some(Box::new(move || Instant::now() > end)));
    let context = Context::full(&runtime).map_err(failed)?;
    let inputs = serde_json::to_string(inputs).unwrap_or_default();
    let text = context.with(|ctx| {
        ctx.globals().set("__inputs", inputs).map_err(failed)?;
        let script = format!(
            "var console = {{log() {{}}, error() {{}}, warn() {{}}, info() {{}}, debug() {{}}}};\n\
             {code}\n;JSON.stringify(main(JSON.parse(__inputs)))"
        );
        let value = ctx.eval::<Option<String>, _>(script).catch(&ctx);
        value.map_err(|err| {
            let text = err.to_string();
            if Instant::now() > end {
                return CodeError(format!("the code ran longer than {} seconds", TIME.as_secs()));
            }
            CodeError(text)
        })
    })?;
    match text {
        Some(text) => parse(&text),
        None => Err(CodeError("Result must be a dict, got NoneType".to_owned())),
    }
}

async fn python(code: &str, inputs: &Map<String, Json>) -> Result<Object, CodeError> {
    let source = program(Language::Python, code, inputs);
    let mut command = Command::new("python3");
    command
        .args(["-I", "-X", "utf8", "-c", PYTHON])
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn().map_err(|err| {
        CodeError(format!(
            "Python code cannot be run: no sandbox service is configured (CODE_EXECUTION_ENDPOINT), and python3 does \
             not start here ({err})"
        ))
    })?;
    let (Some(mut stdin), Some(stdout), Some(stderr)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(CodeError("the pipes of the program are missing".to_owned()));
    };
    let talk = async {
        let write = async {
            // A program that ends early does not read its input; its error says why.
            let _ = stdin.write_all(source.as_bytes()).await;
            drop(stdin);
        };
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let (mut stdout, mut stderr) = (stdout.take(OUTPUT), stderr.take(OUTPUT));
        let (_, _, _) =
            tokio::join!(write, stdout.read_to_end(&mut out), stderr.read_to_end(&mut err));
        let status = child.wait().await;
        (out, err, status)
    };
    let Ok((out, err, status)) = timeout(TIME, talk).await else {
        return Err(CodeError(format!("the code ran longer than {} seconds", TIME.as_secs())));
    };
    if !status.is_ok_and(|status| status.success()) {
        let text = String::from_utf8_lossy(&err).into_owned();
        let text = if text.is_empty() { "the program was stopped".to_owned() } else { text };
        return Err(CodeError(text));
    }
    result(&String::from_utf8_lossy(&out))
}

#[cfg(test)]
mod tests {
    use graph::Value;
    use serde_json::json;

    use super::*;

    async fn run(language: Language, code: &str) -> Result<Value, String> {
        let Json::Object(inputs) = json!({"q": "añb", "n": 3}) else { panic!("an object") };
        let result = Embedded::default().run(language, code, inputs).await;
        result.map(Value::object).map_err(|err| err.0)
    }

    #[tokio::test]
    async fn javascript_runs_within_limits() {
        let result = run(
            Language::JavaScript,
            "function main({q, n}) { return {s: q.toUpperCase(), n: n + 0.5} }",
        );
        assert_eq!(result.await, Ok(Value::from_json(json!({"s": "AÑB", "n": 3.5}))));
        let thrown = run(Language::JavaScript, "function main() { throw new Error('no') }").await;
        assert!(thrown.unwrap_err().contains("no"));
        let hungry = "function main() { let a = []; for (;;) a.push(new Array(100000).fill(1)) }";
        assert!(run(Language::JavaScript, hungry).await.is_err());
        let deep = "function main() { return main() }";
        assert!(run(Language::JavaScript, deep).await.is_err());
    }

    #[tokio::test]
    async fn python_runs_locked_down() {
        if std::process::Command::new("python3").arg("-V").output().is_err() {
            return;
        }
        let result =
            run(Language::Python, "def main(q, n):\n    return {'s': q[::-1], 'n': n / 4}");
        assert_eq!(result.await, Ok(Value::from_json(json!({"s": "bña", "n": 0.75}))));
        for forbidden in [
            "open('/proc/1/environ').read()",
            "open('/etc/passwd').read()",
            "__import__('os').system('true')",
            "__import__('subprocess').run(['true'])",
            "__import__('socket').socket()",
            "__import__('ctypes').CDLL(None)",
        ] {
            let code = format!("def main(q, n):\n    {forbidden}\n    return {{}}");
            let error = run(Language::Python, &code).await.unwrap_err();
            assert!(error.contains("not permitted"), "{forbidden}: {error}");
        }
    }
}
