#include "cli/prepare/distinct_counter.h"

#include <algorithm>
#include <string>

#include "common/status/status.h"

namespace sluis::cli {
namespace {

constexpr std::size_t kBuckets = 64;
constexpr std::size_t kBlockBytes = 16u << 10;

}  // namespace

absl::StatusOr<DistinctCounter> DistinctCounter::Create(const common::SpillDirectory& directory,
                                                        std::size_t item_bytes) {
  DistinctCounter counter;
  counter.item_bytes_ = item_bytes;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    SLUIS_ASSIGN_OR_RETURN(common::SpillFile file, directory.NewFile(kBlockBytes));
    counter.buckets_.push_back(std::move(file));
  }
  return counter;
}

absl::Status DistinctCounter::Add(std::string_view item) {
  return buckets_[static_cast<std::uint8_t>(item.back()) % kBuckets].Append(item);
}

absl::StatusOr<std::uint64_t> DistinctCounter::Finish(const std::function<absl::Status(std::string_view)>& visit) {
  std::uint64_t distinct = 0;
  for (common::SpillFile& bucket : buckets_) {
    SLUIS_RETURN_IF_ERROR(bucket.Finish());
    SLUIS_ASSIGN_OR_RETURN(const std::unique_ptr<common::RecordReader> reader, bucket.Read());
    std::string items;
    items.reserve(bucket.records() * item_bytes_);
    std::string_view item;
    for (;;) {
      SLUIS_ASSIGN_OR_RETURN(const bool more, reader->Next(item));
      if (!more) {
        break;
      }
      items += item;
    }
    std::vector<std::string_view> sorted;
    sorted.reserve(bucket.records());
    for (std::size_t at = 0; at < items.size(); at += item_bytes_) {
      sorted.push_back(std::string_view(items).substr(at, item_bytes_));
    }
    std::ranges::sort(sorted);
    const auto repeated = std::ranges::unique(sorted);
    sorted.erase(repeated.begin(), repeated.end());
    for (const std::string_view one : sorted) {
      SLUIS_RETURN_IF_ERROR(visit(one));
    }
    distinct += sorted.size();
  }
  buckets_.clear();
  return distinct;
}

}  // namespace sluis::cli
