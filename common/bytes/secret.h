#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"

// Byte strings. Public bytes of variable length are std::string / std::string_view, of fixed length
// std::array<std::uint8_t, N>. Secrets are SecretBytes: locked memory, wiped when freed, not copyable, not printable.

namespace sluis::common {

using Hash256 = std::array<std::uint8_t, 32>;

class SecretBytes {
 public:
  SecretBytes() = default;
  // Allocates `size` zero bytes of locked memory with guard pages (libsodium). Aborts if the system is out of memory.
  explicit SecretBytes(std::size_t size);
  SecretBytes(SecretBytes&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  SecretBytes& operator=(SecretBytes&& other) noexcept;
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  ~SecretBytes();

  // Returns a copy of `bytes` in locked memory. The caller wipes its own copy.
  static SecretBytes CopyOf(std::span<const std::uint8_t> bytes);
  static SecretBytes Random(std::size_t size);
  SecretBytes Clone() const;

  // The only ways to the bytes; named so that a reviewer can search for them.
  std::span<const std::uint8_t> ExposeForUse() const { return {data_, size_}; }
  std::span<std::uint8_t> ExposeForFilling() { return {data_, size_}; }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

// Overwrites `bytes` with zeros; not removed by the optimiser.
void Wipe(std::span<std::uint8_t> bytes);
void Wipe(std::string& bytes);

// Compares in time that depends on the lengths only.
[[nodiscard]] bool ConstantTimeEqual(std::string_view a, std::string_view b);

inline std::span<const std::uint8_t> AsBytes(std::string_view s) {
  return {reinterpret_cast<const std::uint8_t*>(s.data()), s.size()};
}
inline std::string_view AsChars(std::span<const std::uint8_t> b) {
  return {reinterpret_cast<const char*>(b.data()), b.size()};
}

[[nodiscard]] std::string HexEncode(std::string_view bytes);
// Errors: INVALID_ARGUMENT on odd length or a character that is not 0-9, a-f, A-F.
[[nodiscard]] absl::StatusOr<std::string> HexDecode(std::string_view hex);
// Standard base 64 with padding (RFC 4648, section 4).
[[nodiscard]] std::string Base64Encode(std::string_view bytes);
// Errors: INVALID_ARGUMENT on anything but canonical padded base 64.
[[nodiscard]] absl::StatusOr<std::string> Base64Decode(std::string_view text);

// Big-endian fixed-width integers, so that the order of encoded keys is the order of the numbers.
void AppendBigEndian32(std::string& out, std::uint32_t value);
void AppendBigEndian64(std::string& out, std::uint64_t value);
// Precondition: `bytes` has at least 4 or 8 bytes.
[[nodiscard]] std::uint32_t ReadBigEndian32(std::string_view bytes);
[[nodiscard]] std::uint64_t ReadBigEndian64(std::string_view bytes);

}  // namespace sluis::common
