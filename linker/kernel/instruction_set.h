#pragma once

#include <cstddef>
#include <cstdint>

// The inner loops, one translation unit per instruction set. Each of those is compiled with flags that other machines
// may lack, so it includes this header and <immintrin.h> only: an inline function of the standard library compiled
// there could be the copy that the linker keeps for the whole program, and then fault on a machine without the
// instructions.

namespace sluis::linker::kernel {

// Queries that a scan compares at once with each group of candidates.
inline constexpr std::size_t kQueries = 4;
// Most candidates of one scan.
inline constexpr std::size_t kTileRows = 256;

// A pair at a distance within its limits: positions in the scanned runs.
struct Hit {
  std::uint32_t query;
  std::uint32_t candidate;
  std::uint32_t distance;
};

// Packed rows to be compared, see packed_rows.h. Queries are row-major, candidates interleaved by the instruction set's
// lanes. The pair (i, j) is a hit if its Hamming distance is at most query_limits[i] + candidate_limits[j].
struct Scan {
  const std::uint64_t* queries;
  const std::int64_t* query_limits;
  std::size_t query_count;  // a multiple of kQueries
  const std::uint64_t* candidates;
  const std::int64_t* candidate_limits;
  std::size_t candidate_count;  // a multiple of the lanes, at most kTileRows
  std::size_t words;            // of a packed row, at most 64
};

// Rows of two row-major tables whose common bits are counted.
struct RowPair {
  std::uint32_t a;
  std::uint32_t b;
};

struct InstructionSet {
  // Candidates interleaved word by word in one group.
  std::size_t lanes;

  // Scans queries from `*next_query` (a multiple of kQueries) on, for as long as `capacity` has room for all that the
  // next kQueries could add; sets `*next_query` to the first that is not scanned. Writes hits to `hits`, in no
  // particular order; returns their number. `capacity` must be at least kQueries * kTileRows.
  std::size_t (*scan)(const Scan& scan, std::size_t* next_query, Hit* hits, std::size_t capacity);

  // Writes popcount(a[pairs[i].a] & b[pairs[i].b]) to common[i].
  void (*count_common)(const std::uint64_t* a, const std::uint64_t* b, std::size_t words, const RowPair* pairs,
                       std::size_t count, std::uint32_t* common);
};

extern const InstructionSet kPortableSet;
#if defined(__x86_64__)
extern const InstructionSet kAvx2Set;
extern const InstructionSet kAvx512Set;
#endif

}  // namespace sluis::linker::kernel
