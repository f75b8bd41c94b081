#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "absl/status/status.h"

namespace sluis::linker {

// A join token: 128 bits that are equal if and only if two pseudonyms under one match key are equal (but for a chance
// of 2^-128). Two words in the machine's byte order: only equality has a meaning. All zero means absent.
struct Token {
  std::uint64_t high;
  std::uint64_t low;

  bool absent() const { return (high | low) == 0; }
  friend bool operator==(const Token&, const Token&) = default;
};
static_assert(sizeof(Token) == 16);

// Consecutive records of a register. `tokens` is in columns: token of column c of the i-th record here is
// tokens[c * count + i].
struct TokenChunk {
  std::uint64_t first_record = 0;
  std::uint32_t count = 0;
  std::span<const Token> tokens;
};

// The tokens of one register, read as often as the memory bound demands. Scan may be called from several threads at
// once.
class TokenSource {
 public:
  virtual ~TokenSource() = default;
  virtual std::uint64_t records() const = 0;
  // Calls `visit` for each chunk in record order; stops with the status of the first call that is not OK. Errors: those
  // of `visit` and of the medium.
  [[nodiscard]] virtual absl::Status Scan(const std::function<absl::Status(const TokenChunk&)>& visit) const = 0;
};

}  // namespace sluis::linker
