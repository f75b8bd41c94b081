#pragma once

#include <string_view>

#include "common/crypto/crypto.h"

namespace sluis::linker {

// Length of the random id, in hex, under which the chunks of a link set are stored: its hash is known only at the end.
inline constexpr std::size_t kBuildIdLength = 32;

// LinkedRegister::links_sha256.
class LinksDigest {
 public:
  LinksDigest() { hasher_.Update("sluis-links-v1\n"); }
  void Add(std::string_view chunk) { hasher_.Update(common::AsChars(common::Sha256(chunk))); }
  [[nodiscard]] common::Hash256 Finish() { return hasher_.Finish(); }

 private:
  common::Sha256Hasher hasher_;
};

}  // namespace sluis::linker
