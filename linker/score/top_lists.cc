#include "linker/score/top_lists.h"

#include <algorithm>

namespace sluis::linker {

void TopLists::Insert(std::size_t row, std::int32_t score, std::uint32_t other) {
  std::int32_t* const scores = scores_.data() + row * k_;
  std::uint32_t* const others = others_.data() + row * k_;
  const auto before = [&](std::size_t place) {
    return score > scores[place] || (score == scores[place] && other < others[place]);
  };
  if (!before(k_ - 1) || std::find(others, others + k_, other) != others + k_) {
    return;
  }
  std::size_t place = k_ - 1;
  for (; place > 0 && before(place - 1); --place) {
    scores[place] = scores[place - 1];
    others[place] = others[place - 1];
  }
  scores[place] = score;
  others[place] = other;
}

void TopLists::Lower(std::size_t row, std::int32_t score, std::uint32_t other) {
  std::int32_t* const scores = scores_.data() + row * k_;
  std::uint32_t* const others = others_.data() + row * k_;
  auto place = static_cast<std::size_t>(std::find(others, others + k_, other) - others);
  if (place == k_ || scores[place] <= score) {
    return;
  }
  const auto follows = [&](std::size_t next) {
    return others[next] != kNoRow && (scores[next] > score || (scores[next] == score && others[next] < other));
  };
  for (; place + 1 < k_ && follows(place + 1); ++place) {
    scores[place] = scores[place + 1];
    others[place] = others[place + 1];
  }
  scores[place] = score;
  others[place] = other;
}

void TopLists::Merge(const TopLists& lists) {
  for (std::size_t row = 0; row < rows(); ++row) {
    for (std::size_t i = 0; i < k_ && lists.others(row)[i] != kNoRow; ++i) {
      Insert(row, lists.scores(row)[i], lists.others(row)[i]);
    }
  }
}

}  // namespace sluis::linker
