#pragma once

#include <string_view>

#include "common/crypto/crypto.h"

namespace sluis::linker {

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
