// Signing secrets and signatures of Standard Webhooks (contract section 7.3).
#pragma once

#include <string>
#include <string_view>

#include "base/random.h"

namespace offpeak {

/// "whsec_" + base64 of 32 random bytes.
std::string make_webhook_secret(Random& random);

/// "v1,<base64 of HMAC-SHA256>". The key is what stands in base64 behind "whsec_"; a secret of
/// another form is the key itself.
std::string webhook_signature(std::string_view secret, std::string_view signed_text);

}  // namespace offpeak
