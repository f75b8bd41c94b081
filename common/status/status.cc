#include "common/status/status.h"

#include "absl/strings/cord.h"

namespace sluis::common {
namespace {
constexpr char kReasonUrl[] = "sluis/reason";
}  // namespace

absl::Status WithReason(absl::Status status, std::string_view reason) {
  if (!status.ok()) {
    status.SetPayload(kReasonUrl, absl::Cord(absl::string_view(reason.data(), reason.size())));
  }
  return status;
}

std::string ReasonOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kReasonUrl);
  return payload.has_value() ? std::string(*payload) : std::string();
}

absl::Status Annotate(const absl::Status& status, std::string_view context) {
  if (status.ok()) {
    return status;
  }
  std::string message(context);
  message += ": ";
  message.append(status.message().data(), status.message().size());
  absl::Status annotated(status.code(), message);
  status.ForEachPayload(
      [&annotated](absl::string_view url, const absl::Cord& value) { annotated.SetPayload(url, value); });
  return annotated;
}

}  // namespace sluis::common
