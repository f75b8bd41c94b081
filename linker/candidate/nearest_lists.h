#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "linker/kernel/encoding_table.h"

namespace sluis::linker {

// A Dice similarity as an integer: floor(2^30 * 2 common / (bits_a + bits_b)), 0 for two all-zero encodings.
//
// Two different similarities of encodings of up to 4,096 bits differ by at least 1/8192^2 = 2^-26, so the order of the
// integers is exactly that of the similarities, and equal integers are equal similarities.
inline constexpr std::uint32_t kDiceOne = std::uint32_t{1} << 30;
inline std::uint32_t DiceUnits(std::uint32_t common, std::uint32_t bits_a, std::uint32_t bits_b) {
  const std::uint32_t sum = bits_a + bits_b;
  return sum == 0 ? 0 : static_cast<std::uint32_t>(std::uint64_t{2} * common * kDiceOne / sum);
}

// A row of the other table and its similarity, in one word. Larger is nearer; of equally near rows, the one with the
// smaller number.
class Neighbour {
 public:
  Neighbour() = default;
  Neighbour(std::uint32_t row, std::uint32_t dice_units) : word_(std::uint64_t{dice_units} << 32 | ~row) {}

  std::uint32_t row() const { return ~static_cast<std::uint32_t>(word_); }
  std::uint32_t dice_units() const { return static_cast<std::uint32_t>(word_ >> 32); }
  double dice() const { return static_cast<double>(dice_units()) / kDiceOne; }
  // False for the empty place of a list. Rows number at most 2^32 - 2, so no neighbour is all-zero.
  explicit operator bool() const { return word_ != 0; }

  friend auto operator<=>(const Neighbour&, const Neighbour&) = default;

 private:
  std::uint64_t word_ = 0;
};

// For each row of a table, the `keep` nearest of the neighbours that were offered, each once.
//
// The outcome depends on the set of what was offered only, not on its order or repetition. While lists are filled, a
// row's list is a heap with its farthest neighbour in front; Finish() sorts it. Different rows may be offered to by
// different threads at once. Memory: 8 bytes * rows * keep, touched as rows get neighbours.
class NearestLists {
 public:
  NearestLists() = default;
  NearestLists(std::size_t rows, std::uint32_t keep) : keep_(keep), rows_(rows), places_(rows * keep) {}

  void Offer(std::size_t row, Neighbour neighbour) {
    if (IsNear(row, neighbour)) {
      Insert(places_.data() + row * keep_, neighbour);
    }
  }

  // Before Finish: whether `neighbour` is nearer than the farthest in the list of `row`, or in it already. If not, an
  // offer is without effect.
  bool IsNear(std::size_t row, Neighbour neighbour) const { return neighbour > places_[row * keep_]; }

  // Asks for the memory that IsNear reads, and for that of the whole list.
  void Prefetch(std::size_t row) const { __builtin_prefetch(places_.data() + row * keep_); }
  void PrefetchList(std::size_t row) const {
    constexpr std::size_t kLine = 64 / sizeof(Neighbour);
    for (std::size_t place = 0; place < keep_; place += kLine) {
      __builtin_prefetch(places_.data() + row * keep_ + place);
    }
  }

  // After Finish: asks for the memory that WouldHold reads.
  void PrefetchFarthest(std::size_t row) const { __builtin_prefetch(places_.data() + row * keep_ + keep_ - 1); }

  // Before Finish: the farthest neighbour in the list of `row`, empty if a place is left.
  Neighbour Farthest(std::size_t row) const { return places_[row * keep_]; }

  // Sorts the lists of the rows [begin, end), nearest first. Nothing may be offered to them after that.
  void Finish(std::size_t begin, std::size_t end);

  // After Finish: the neighbours of `row`, nearest first, at most keep().
  std::span<const Neighbour> of(std::size_t row) const;

  // After Finish: whether `neighbour`, if it was ever offered to `row`, is in its list. O(1).
  bool WouldHold(std::size_t row, Neighbour neighbour) const { return neighbour >= places_[row * keep_ + keep_ - 1]; }

  std::size_t rows() const { return rows_; }
  std::uint32_t keep() const { return keep_; }

 private:
  void Insert(Neighbour* list, Neighbour neighbour) const;

  std::uint32_t keep_ = 0;
  std::size_t rows_ = 0;
  AlignedVector<Neighbour> places_;
};

}  // namespace sluis::linker
