//! AES-256-CBC with PKCS#7 padding.

use aes::Aes256;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, KeyIvInit as _};

const BLOCK: usize = 16;

/// Encrypts; the result is a whole number of 16-byte blocks.
#[must_use]
pub fn encrypt(key: &[u8; 32], iv: &[u8; 16], plain: &[u8]) -> Vec<u8> {
    let mut buffer = plain.to_vec();
    buffer.resize((plain.len() / BLOCK + 1) * BLOCK, 0);
    let encryptor = cbc::Encryptor::<Aes256>::new(key.into(), iv.into());
    // The buffer has room for the padding, the only thing that could be missing.
    let length = encryptor.encrypt_padded::<Pkcs7>(&mut buffer, plain.len()).map_or(0, <[u8]>::len);
    buffer.truncate(length);
    buffer
}

/// Decrypts; `None` if the text or its padding is no whole number of blocks.
#[must_use]
pub fn decrypt(key: &[u8; 32], iv: &[u8; 16], cipher: &[u8]) -> Option<Vec<u8>> {
    let mut buffer = cipher.to_vec();
    let decryptor = cbc::Decryptor::<Aes256>::new(key.into(), iv.into());
    decryptor.decrypt_padded::<Pkcs7>(&mut buffer).ok().map(<[u8]>::to_vec)
}
