#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/bytes/secret.h"
#include "linker/fuzzy/comparison_store.h"

namespace sluis::cli {

// The directory of --work: finished comparisons, so that a run that was killed goes on and a run with one more file
// does only what is new; and the key under which a run without --seed encodes, so that its encodings are the same
// again. Row numbers, scores and counts, no value and no record id: who is linked with whom for those who hold the
// inputs. README.md has the format. Nothing in it is ever removed; remove the directory to forget it.
class WorkDirectory : public linker::ComparisonStore {
 public:
  // Opens the work directory at `path`, or makes one: where nothing is (mode 0700, parents too), or in an empty
  // directory that only this user can enter. It is locked while this object lives. Errors: FAILED_PRECONDITION if
  // another run uses it, others can enter it, or there is something else in it; as common::WriteFileAtomically.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<WorkDirectory>> Open(const std::string& path);
  ~WorkDirectory() override;

  // Returns the key of all runs without --seed in this directory, 32 bytes, drawn at the first call. Errors: DATA_LOSS
  // if its file is damaged; as common::WriteFileAtomically.
  [[nodiscard]] absl::StatusOr<common::SecretBytes> Key() const;

  [[nodiscard]] absl::StatusOr<std::optional<std::string>> Find(const linker::ComparisonKey& key,
                                                                std::uint32_t part) override;
  [[nodiscard]] absl::Status Save(const linker::ComparisonKey& key, std::uint32_t part,
                                  std::string_view bytes) override;

 private:
  WorkDirectory(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}
  absl::Status CheckFormat() const;
  std::string PartPath(const linker::ComparisonKey& key, std::uint32_t part) const;

  const std::string path_;
  const int lock_;
};

}  // namespace sluis::cli
