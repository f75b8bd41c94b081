#include "common/schema/value.h"

namespace sluis::common {

bool PassesElevenTest(std::string_view digits) {
  if (digits.size() != 8 && digits.size() != 9) return false;
  int sum = 0;
  bool all_zero = true;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (digits[i] < '0' || digits[i] > '9') return false;
    const int weight = static_cast<int>(digits.size() - i);
    sum += (weight == 1 ? -1 : weight) * (digits[i] - '0');
    all_zero = all_zero && digits[i] == '0';
  }
  return sum % 11 == 0 && !all_zero;
}

}  // namespace sluis::common
