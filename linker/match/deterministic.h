#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "linker/match/report.h"
#include "linker/match/token.h"

namespace sluis::linker {

// One register as the linkage sees it.
struct RegisterTokens {
  std::string name;
  bool many_per_person = false;  // spells and events: several records may belong to one person
  std::vector<int> passes;       // pass of each token column: position of its match key in the permit; ascending
  const TokenSource* source = nullptr;
};

inline constexpr std::uint8_t kNotFound = std::numeric_limits<std::uint8_t>::max();
inline constexpr int kMaxMatchKeys = 16;

// The outcome of each record of one satellite, in record order.
struct SatelliteLinks {
  // Pass that linked the record, or kNotFound.
  std::vector<std::uint8_t> pass;
  // Of a linked record: the number of its backbone record. Of another: the number of the first record of its source
  // entity in this satellite.
  std::vector<std::uint32_t> entity;
  LinkageReport report;
};

struct LinkOptions {
  // Bound on what the linkage itself holds; what the token sources hold (a chunk for each thread) comes on top. A
  // smaller bound means more scans of the sources, never another result. At least 5 bytes for each record of the
  // largest satellite (11 if it has many records per person) and a bit for each backbone record are needed, and 1 MiB.
  std::uint64_t memory_bytes = 512ull << 20;
  int threads = 2;  // satellites that are linked at the same time
  // Called now and then, by one thread at a time, with the records scanned so far and in all.
  std::function<void(std::uint64_t scanned, std::uint64_t total)> progress = nullptr;
  // Asked for each chunk, by several threads at once: true ends the linkage with CANCELLED.
  std::function<bool()> cancelled = nullptr;
};

// Links the records of each satellite to the backbone by their match keys in declared order, and calls `sink` once for
// each satellite, one at a time, in any order.
//
// A *source entity* is what a satellite shows of one person: a record of its own in a one-per-person register; in a
// many-per-person register all records with the same full tuple of tokens (absent ones included). A record without any
// token is an entity of its own, for a null never matches.
//
// Pass k looks at the source entities that no earlier pass has linked and that have a token of match key k. An entity
// *claims* the backbone record with that token. It is
//   ambiguous    if several backbone records have that token;
//   unavailable  if, in a one-per-person register, an earlier pass has linked another entity to that backbone record;
//   in conflict  if another entity claims the same backbone record in this pass and, in a one-per-person register, in
//                any case, or, in a many-per-person register, if the two have different tokens, both present, of a
//                stronger match key: one that the satellite declares before k;
//   linked       otherwise.
// What is not linked is free for later passes. Claims of one pass are judged together, so the order of records decides
// nothing. Example, one-per-person, keys (BSN, birth date + sex + surname): two records with one BSN are in conflict in
// the first pass, and may each be linked by the second.
//
// `match_keys`: names of the passes, at most kMaxMatchKeys. A satellite that lacks a key, or whose key the backbone
// lacks, skips that pass. Satellites and backbone have at most 2^31 records each.
// Errors: INVALID_ARGUMENT naming the register if its columns or number of records are out of these bounds, or a source
// yields another number of records than it declares; RESOURCE_EXHAUSTED if `memory_bytes` is below the least, naming
// what is needed; CANCELLED; what the sources and `sink` return. After an error some satellites may have reached
// `sink`. Cost: with enough memory one scan of the backbone and one of each satellite per pass, one more for a
// many-per-person satellite; with P times less, about P times the scans. 20 bytes and a half of memory for each token
// in a table. Deterministic. Thread-safe as far as the sources are.
[[nodiscard]] absl::Status LinkSatellites(
    const RegisterTokens& backbone, std::span<const RegisterTokens> satellites,
    const std::vector<std::string>& match_keys, const LinkOptions& options,
    const std::function<absl::Status(std::size_t satellite, SatelliteLinks links)>& sink);

}  // namespace sluis::linker
