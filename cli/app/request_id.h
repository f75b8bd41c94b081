#pragma once

#include <string>

#include "common/bytes/secret.h"
#include "common/crypto/crypto.h"

namespace sluis::cli {

// A new random name for a request that changes state.
inline std::string NewRequestId() { return "r" + common::HexEncode(common::RandomString(12)); }

}  // namespace sluis::cli
