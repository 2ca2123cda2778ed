//! Signatures of deliveries, as Standard Webhooks says: HMAC-SHA256 over id, time and body.

use std::fmt;

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use data_encoding::BASE64;
use secrecy::zeroize::Zeroizing;

use crate::vault::{VaultError, random_bytes};

/// What a secret begins with when people read it.
const PREFIX: &str = "whsec_";

/// What signs the deliveries to an endpoint, known to the gateway and the endpoint.
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// 256 random bits.
    pub fn generate() -> Result<Self, VaultError> {
        Ok(Secret(random_bytes::<32>()?.to_vec().into()))
    }

    pub(super) fn from_bytes(bytes: Zeroizing<Vec<u8>>) -> Self {
        Secret(bytes)
    }

    /// The bytes to be sealed.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The secret as its owner gets it, once.
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}", BASE64.encode(&self.0))
    }

    /// The signature of a message that leaves at this time (seconds since 1970).
    pub(super) fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let mut message = format!("{id}.{timestamp}.").into_bytes();
        message.extend_from_slice(body);
        format!("v1,{}", BASE64.encode(sign(&Key::new(HMAC_SHA256, &self.0), &message).as_ref()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_the_one_of_the_standards_own_example() {
        let secret = Secret(BASE64.decode(b"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap().into());
        let signature = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(secret.reveal(), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        assert_eq!(format!("{secret:?}"), "Secret(***)");
    }
}
