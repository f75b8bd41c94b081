#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/bytes/secret.h"
#include "common/crypto/crypto.h"

// Keys of records and cells: numbers modulo 2^64 by which the same set of records meets the same chance everywhere.

namespace sluis::disclosure {

// Gives each record its key, HMAC-SHA-256(secret, record id) cut to 64 bits.
//
// `secret`: one per data set, kept as long as anything is tabulated from it, at least 16 bytes. The record id is what
// stays the same when the data are delivered, linked or sorted anew: with an id that changes, the same set of records
// is given a new key each time, and its noise can be averaged away. Who holds the secret and the tables can remove all
// noise. Who holds record keys recognises a record by them.
class RecordKeyMaker {
 public:
  // Precondition: secret.size() >= 16.
  explicit RecordKeyMaker(const common::SecretBytes& secret);
  [[nodiscard]] uint64_t KeyOf(std::string_view record_id) const;

 private:
  common::HmacSha256 mac_;
};

// Returns the cell key of each leaf cell: the sum modulo 2^64 of the keys of its records. Keys of totals are sums of
// these (AddUp over unsigned numbers). `leaf_of_record`: one entry a record key.
// Errors: INVALID_ARGUMENT if the lengths differ or a leaf is outside 0 .. num_leaves - 1 (the message names the
// index).
[[nodiscard]] absl::StatusOr<std::vector<uint64_t>> SumRecordKeys(std::span<const uint64_t> record_keys,
                                                                  std::span<const int32_t> leaf_of_record,
                                                                  int32_t num_leaves);

// Where the chance of a cell comes from.
class DrawSource {
 public:
  virtual ~DrawSource() = default;
  // Returns a number that is uniform over 64 bits; always the same for the same arguments.
  [[nodiscard]] virtual uint64_t Draw(uint64_t cell_key, uint32_t index = 0) const = 0;
};

// The chance of a cell in one variable: uniform 64-bit numbers that depend on the secret, the variable and the cell
// key, and on nothing else: not on the release, the table, the request or the time.
//
// A cell key itself is a sum: whoever knew some could compute others, and a count and an amount of the same cell would
// share their chance. So draws are HMAC-SHA-256(secret, variable, cell key, index) cut to 64 bits.
class CellDraws final : public DrawSource {
 public:
  // `secret`: of the data set, at least 16 bytes (it may be that of the record keys: both derive their own).
  // `variable`: name of the response variable and method, such as "count".
  CellDraws(const common::SecretBytes& secret, std::string_view variable);
  [[nodiscard]] uint64_t Draw(uint64_t cell_key, uint32_t index = 0) const override;

 private:
  common::HmacSha256 mac_;
};

// Draws that were written down, for an auditor who repeats what was done and has no secret: the key of a cell is its
// number.
class RecordedDraws final : public DrawSource {
 public:
  // `indices`: the draws that each cell has; `draws`: cell after cell, one for each of them. Both outlive the object.
  // Precondition: a cell and an index that Draw is asked for are among them.
  RecordedDraws(std::span<const uint32_t> indices, std::span<const uint64_t> draws)
      : indices_(indices), draws_(draws) {}
  [[nodiscard]] uint64_t Draw(uint64_t cell, uint32_t index = 0) const override;

 private:
  std::span<const uint32_t> indices_;
  std::span<const uint64_t> draws_;
};

// Returns floor(draw * n / 2^64): each of 0 .. n - 1 with a probability of 1 / n to within 2^-64. Precondition: n > 0.
[[nodiscard]] int64_t ScaleDraw(uint64_t draw, int64_t n);

}  // namespace sluis::disclosure
