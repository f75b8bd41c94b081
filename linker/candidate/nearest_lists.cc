#include "linker/candidate/nearest_lists.h"

#include <algorithm>
#include <functional>

namespace sluis::linker {

void NearestLists::Insert(Neighbour* list, Neighbour neighbour) const {
  // Offered before: a row's similarity is always the same, so the whole word is. What was dropped is farther than
  // list[0] for ever, so it does not come here.
  if (std::find(list, list + keep_, neighbour) != list + keep_) {
    return;
  }
  std::size_t place = 0;
  for (;;) {
    std::size_t child = 2 * place + 1;
    if (child >= keep_) {
      break;
    }
    if (child + 1 < keep_ && list[child + 1] < list[child]) {
      ++child;
    }
    if (neighbour <= list[child]) {
      break;
    }
    list[place] = list[child];
    place = child;
  }
  list[place] = neighbour;
}

void NearestLists::Finish(std::size_t begin, std::size_t end) {
  for (std::size_t row = begin; row < end; ++row) {
    Neighbour* const list = places_.data() + row * keep_;
    std::sort(list, list + keep_, std::greater<>());
  }
}

std::span<const Neighbour> NearestLists::of(std::size_t row) const {
  const Neighbour* const list = places_.data() + row * keep_;
  const Neighbour* const end =
      std::partition_point(list, list + keep_, [](Neighbour neighbour) { return static_cast<bool>(neighbour); });
  return {list, end};
}

}  // namespace sluis::linker
