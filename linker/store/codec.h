#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "common/bytes/secret.h"

// The byte format of what the linker's store keeps beside columns, and of what it hashes: numbers big-endian and of
// fixed width, byte strings behind their length as 32 bits. One value has one encoding.

namespace sluis::linker {

class Encoder {
 public:
  Encoder& U8(std::uint8_t value);
  Encoder& U32(std::uint32_t value);
  Encoder& U64(std::uint64_t value);
  Encoder& Bytes(std::string_view value);
  Encoder& Hash(const common::Hash256& value);
  std::string Take() { return std::move(out_); }

 private:
  std::string out_;
};

// Reads what an Encoder wrote. Beyond the end everything is zero or empty, and Finish says so.
class Decoder {
 public:
  explicit Decoder(std::string_view bytes) : rest_(bytes) {}
  std::uint8_t U8();
  std::uint32_t U32();
  std::uint64_t U64();
  std::string Bytes();
  common::Hash256 Hash();
  // A number of items that follow, each at least `least_bytes` long; more than the bytes left can hold is damage.
  std::uint32_t Count(std::size_t least_bytes);
  // Whether nothing follows.
  bool AtEnd() const { return rest_.empty(); }
  // Errors: DATA_LOSS if the bytes were too few or too many.
  [[nodiscard]] absl::Status Finish() const;

 private:
  std::string_view Next(std::size_t size);

  std::string_view rest_;
  bool damaged_ = false;
};

}  // namespace sluis::linker
