#include "common/store/keys.h"

namespace sluis::common {

std::string PrefixEnd(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && end.back() == '\xff') {
    end.pop_back();
  }
  if (end.empty()) {
    return std::string(kMaxKeyBytes + 1, '\xff');
  }
  end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return end;
}

absl::Status CheckChange(const WriteBatch::Change& change) {
  if (change.key.size() > kMaxKeyBytes) {
    return absl::InvalidArgumentError("a key in family " + change.family + " is longer than " +
                                      std::to_string(kMaxKeyBytes) + " bytes");
  }
  if (change.kind == WriteBatch::Kind::kDeletePrefix && change.key.empty()) {
    return absl::InvalidArgumentError("deletion of an empty prefix in family " + change.family);
  }
  return absl::OkStatus();
}

absl::Status UnknownFamily(std::string_view family) {
  return absl::InvalidArgumentError("unknown column family " + std::string(family));
}

}  // namespace sluis::common
