#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "linker/match/token.h"

namespace sluis::linker {

// 64 well-mixed bits. Tokens of the store are uniform already; those of a test need not be.
inline std::uint64_t MixBits(std::uint64_t x) {
  x ^= x >> 32;
  x *= 0xD6E8FEB86659FD93ull;
  x ^= x >> 32;
  x *= 0xD6E8FEB86659FD93ull;
  return x ^ (x >> 32);
}
inline std::uint64_t HashToken(Token token) { return MixBits(token.low ^ (token.high * 0x9E3779B97F4A7C15ull)); }
// The hash under which a tuple of any width stands in a TupleTable.
inline std::uint64_t HashTuple(std::span<const Token> tuple) {
  std::uint64_t hash = 0;
  for (const Token& token : tuple) {
    hash = MixBits(hash ^ HashToken(token));
  }
  return hash;
}
__extension__ using Unsigned128 = unsigned __int128;  // a compiler extension, as -Wpedantic notes
// Maps a uniform 64-bit number to 0 .. n-1.
inline std::uint64_t ScaleTo(std::uint64_t uniform, std::uint64_t n) {
  return static_cast<std::uint64_t>((static_cast<Unsigned128>(uniform) * n) >> 64);
}
// Which of `partitions` holds what hashes to `hash`; independent of the place inside a table.
inline std::uint32_t PartitionOf(std::uint64_t hash, std::uint32_t partitions) {
  return partitions == 1 ? 0 : static_cast<std::uint32_t>(ScaleTo(MixBits(hash + 0x9E3779B97F4A7C15ull), partitions));
}

// Open addressing from tuples of `width` tokens to record numbers: no deletion, linear probing, at most three quarters
// full. 16 * width + 4 bytes a slot.
class TupleTable {
 public:
  static constexpr std::uint32_t kNoRecord = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::size_t kNoSlot = std::numeric_limits<std::size_t>::max();

  // Slots for `tuples` of them without growing.
  static std::uint64_t SlotsFor(std::uint64_t tuples) { return tuples + tuples / 2 + 16; }
  static std::uint64_t BytesPerSlot(std::size_t width) { return sizeof(Token) * width + sizeof(std::uint32_t); }

  TupleTable(std::size_t width, std::uint64_t expected_tuples)
      : width_(width), tokens_(SlotsFor(expected_tuples) * width), records_(SlotsFor(expected_tuples), kNoRecord) {}

  std::size_t slots() const { return records_.size(); }
  std::uint32_t record(std::size_t slot) const { return records_[slot]; }
  void set_record(std::size_t slot, std::uint32_t record) { records_[slot] = record; }

  void Prefetch(std::uint64_t hash) const { __builtin_prefetch(&tokens_[ScaleTo(hash, slots()) * width_]); }

  // Returns the slot of `tuple`, or kNoSlot. Preconditions: `tuple` has a token that is not absent; `hash` is
  // HashTuple(tuple).
  std::size_t Find(std::span<const Token> tuple, std::uint64_t hash) const {
    const std::size_t slot = Probe(tuple, hash);
    return Vacant(slot) ? kNoSlot : slot;
  }
  struct Insertion {
    std::size_t slot;
    bool inserted;
  };
  // Gives `tuple` a slot, with `record`, unless it has one. May grow the table, which moves every slot: slot numbers
  // that are to last come from Find, once the table is filled. Preconditions as for Find.
  Insertion Insert(std::span<const Token> tuple, std::uint64_t hash, std::uint32_t record) {
    std::size_t slot = Probe(tuple, hash);
    if (!Vacant(slot)) {
      return {slot, false};
    }
    if (4 * (size_ + 1) > 3 * slots()) {
      Grow();
      slot = Probe(tuple, hash);
    }
    Place(slot, tuple, record);
    ++size_;
    return {slot, true};
  }

 private:
  bool Vacant(std::size_t slot) const {
    for (std::size_t i = 0; i < width_; ++i) {
      if (!tokens_[slot * width_ + i].absent()) {
        return false;
      }
    }
    return true;
  }
  bool Holds(std::size_t slot, std::span<const Token> tuple) const {
    for (std::size_t i = 0; i < width_; ++i) {
      if (tokens_[slot * width_ + i] != tuple[i]) {
        return false;
      }
    }
    return true;
  }
  std::size_t Probe(std::span<const Token> tuple, std::uint64_t hash) const {
    std::size_t slot = ScaleTo(hash, slots());
    while (!Holds(slot, tuple) && !Vacant(slot)) {
      slot = slot + 1 == slots() ? 0 : slot + 1;
    }
    return slot;
  }
  void Place(std::size_t slot, std::span<const Token> tuple, std::uint32_t record) {
    for (std::size_t i = 0; i < width_; ++i) {
      tokens_[slot * width_ + i] = tuple[i];
    }
    records_[slot] = record;
  }
  void Grow();

  std::size_t width_;
  std::size_t size_ = 0;
  std::vector<Token> tokens_;
  std::vector<std::uint32_t> records_;
};

}  // namespace sluis::linker
