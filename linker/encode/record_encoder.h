#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/bytes/secret.h"
#include "linker/encode/encoding_plan.h"
#include "linker/encode/token_seeds.h"

namespace sluis::linker {

// The encodings of one record: one at record level, one per feature at field level.
struct Encoding {
  std::uint32_t words_per_row = 0;   // 64-bit words of one encoding: plan.EncodedBits() / 64
  std::vector<std::uint64_t> words;  // row after row; bit i of a row is bit i % 64 of its word i / 64
  std::uint64_t present = 0;         // bit i: the record has feature i

  bool HasFeature(std::size_t feature) const { return (present >> feature & 1) != 0; }
  // As linker/kernel's EncodingTable takes it. Leave an absent one out: a record of no feature, at field level a
  // feature that is missing; its words are zero, hardening included.
  std::span<const std::uint64_t> Row(std::size_t row) const {
    return std::span(words).subspan(row * words_per_row, words_per_row);
  }
};

struct EncoderOptions {
  // The custodian's own secret from which BLIP's noise follows; needed if the plan flips bits, at least 16 bytes. Keep
  // it over deliveries: under another one the same record gets other noise, and averaging removes it. Never shared.
  const common::SecretBytes* noise_key = nullptr;
  // How the extract writes its dates: one per feature, or empty if all are year first.
  std::vector<DateOrder> date_orders = {};
  // Tokens whose positions are kept; about 250 bytes each. When full, all are forgotten.
  std::size_t max_cached_tokens = 1 << 20;
};

// Encodes records by a plan. Deterministic: same plan, seeds, noise key and values, same bits.
//
// Random hashing: a feature sets FeatureBits() bits however long its value is, since the number of set bits would tell
// the length. Of a feature of B bits, T tokens get floor(B / T) positions each and the B mod T of the smallest seeds
// one more. A token's positions are distinct, unbiased draws from the ChaCha20 stream under its seed and the plan's
// digest, and the first k are the same whatever k is, so that values which share tokens share positions though their T
// differ. Two plans have no positions in common. Never double hashing, whose positions are sums of two numbers (Kroll
// and Steinmetzer 2014, arXiv:1410.6739).
//
// The stable section is set likewise by the stable features, from a seed that the token's derives for it. Noise runs
// through both sections in turn.
//
// Min-hash: each bit belongs to the token that comes first in an order of that bit's own, drawn by exponential races in
// which a token of feature f runs with weight w_f / T_f. Two records agree in a bit with probability (1 + J) / 2, J
// their weighted Jaccard similarity. Every bit depends on all features. About thirty times dearer.
//
// Missing features set nothing. With a salt feature, a record that lacks it is absent as a whole.
//
// Seeds, positions and bits before noise are wiped when they are no longer needed, at the latest with the encoder.
//
// Not thread-safe (it caches): one encoder per thread. Cost: `tests/bench/encode_bench`.
class RecordEncoder {
 public:
  // `seeds` must outlive the encoder. Errors: INVALID_ARGUMENT if the plan is not valid, the noise key missing or
  // short, or the number of date orders not that of the features; as TokenSeeds::Seed for the layout, if the plan needs
  // one.
  [[nodiscard]] static absl::StatusOr<RecordEncoder> Make(const EncodingPlan& plan, const TokenSeeds& seeds,
                                                          const EncoderOptions& options);
  RecordEncoder(RecordEncoder&&) noexcept;
  RecordEncoder& operator=(RecordEncoder&&) noexcept;
  ~RecordEncoder();

  // Encodes one record, `values` in the order of the plan's features, UTF-8, empty for missing, into `out`, whose
  // memory is used again. Errors, with `out` undefined: INVALID_ARGUMENT if the number of values differs or, naming the
  // feature, as Tokenise; FAILED_PRECONDITION, naming the feature, if a token has no seed.
  [[nodiscard]] absl::Status Encode(std::span<const std::string_view> values, Encoding& out);

 private:
  class Impl;
  explicit RecordEncoder(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluis::linker
