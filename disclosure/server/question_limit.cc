#include "disclosure/server/question_limit.h"

#include "absl/strings/str_cat.h"
#include "common/entry/entry.h"
#include "common/status/status.h"

namespace sluis::disclosure {
namespace {

constexpr std::int64_t kSecondsPerDay = 86'400;

}  // namespace

absl::Status QuestionLimit::Load(const common::LogWriter& log, common::Day today) {
  const std::lock_guard lock(mutex_);
  for (std::uint64_t i = log.size(); i > 0; --i) {
    SLUIS_ASSIGN_OR_RETURN(const std::string bytes, log.Entry(i - 1));
    const absl::StatusOr<common::Entry> entry = common::ParseEntry(bytes);
    if (!entry.ok()) return absl::DataLossError(absl::StrCat("entry ", i - 1, " of the log cannot be read"));
    if (entry->time_seconds / kSecondsPerDay < today) break;
    if (entry->type == common::entry_type::kDryRun || entry->type == common::entry_type::kRefusal) {
      ++Asked(entry->Text("requester"), today);
    }
  }
  return absl::OkStatus();
}

int& QuestionLimit::Asked(const std::string& requester, common::Day today) {
  if (day_ != today) asked_.clear();
  day_ = today;
  return asked_[requester];
}

absl::Status QuestionLimit::Check(int asked) const {
  if (asked < per_day_) return absl::OkStatus();
  return common::WithReason(
      absl::ResourceExhaustedError(absl::StrCat("this requester has asked ", per_day_,
                                                " questions today (dry runs and refused requests): go on tomorrow, "
                                                "UTC; what was released can be fetched all the same")),
      "TOO_MANY_QUESTIONS");
}

absl::Status QuestionLimit::CheckLeft(const std::string& requester, common::Day today) {
  const std::lock_guard lock(mutex_);
  return Check(Asked(requester, today));
}

absl::Status QuestionLimit::Take(const std::string& requester, common::Day today) {
  const std::lock_guard lock(mutex_);
  int& asked = Asked(requester, today);
  SLUIS_RETURN_IF_ERROR(Check(asked));
  ++asked;
  return absl::OkStatus();
}

}  // namespace sluis::disclosure
