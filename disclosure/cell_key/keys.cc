#include "disclosure/cell_key/keys.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"

namespace sluis::disclosure {
namespace {

uint64_t FirstEightBytes(const common::Hash256& hash) { return common::ReadBigEndian64(common::AsChars(hash)); }

}  // namespace

RecordKeyMaker::RecordKeyMaker(const common::SecretBytes& secret)
    : mac_(common::DeriveKey(secret, "sluis cell-key-v1 records")) {}

uint64_t RecordKeyMaker::KeyOf(std::string_view record_id) const { return FirstEightBytes(mac_.Compute(record_id)); }

absl::StatusOr<std::vector<uint64_t>> SumRecordKeys(std::span<const uint64_t> record_keys,
                                                    std::span<const int32_t> leaf_of_record, int32_t num_leaves) {
  if (record_keys.size() != leaf_of_record.size()) {
    return absl::InvalidArgumentError("record keys: one leaf for each record is expected");
  }
  if (num_leaves < 0) return absl::InvalidArgumentError("record keys: the number of leaves is negative");
  std::vector<uint64_t> sum(static_cast<size_t>(num_leaves), 0);
  for (size_t i = 0; i < record_keys.size(); ++i) {
    if (leaf_of_record[i] < 0 || leaf_of_record[i] >= num_leaves) {
      return absl::InvalidArgumentError(absl::StrCat("record ", i, ": the leaf is out of range"));
    }
    sum[static_cast<size_t>(leaf_of_record[i])] += record_keys[i];
  }
  return sum;
}

CellDraws::CellDraws(const common::SecretBytes& secret, std::string_view variable)
    : mac_(common::DeriveKey(secret, "sluis cell-key-v1 draws of " + std::string(variable))) {}

uint64_t CellDraws::Draw(uint64_t cell_key, uint32_t index) const {
  std::string message;
  common::AppendBigEndian64(message, cell_key);
  common::AppendBigEndian32(message, index);
  return FirstEightBytes(mac_.Compute(message));
}

uint64_t RecordedDraws::Draw(uint64_t cell, uint32_t index) const {
  const auto place = std::find(indices_.begin(), indices_.end(), index) - indices_.begin();
  return draws_[cell * indices_.size() + static_cast<size_t>(place)];
}

int64_t ScaleDraw(uint64_t draw, int64_t n) {
  __extension__ typedef unsigned __int128 Uint128;
  return static_cast<int64_t>(static_cast<Uint128>(draw) * static_cast<uint64_t>(n) >> 64);
}

}  // namespace sluis::disclosure
