#include "linker/match/token_table.h"

#include <utility>

namespace sluis::linker {

void TupleTable::Grow() {
  TupleTable larger(width_, slots());
  larger.size_ = size_;
  for (std::size_t slot = 0; slot < slots(); ++slot) {
    if (!Vacant(slot)) {
      const std::span<const Token> tuple(&tokens_[slot * width_], width_);
      larger.Place(larger.Probe(tuple, HashTuple(tuple)), tuple, records_[slot]);
    }
  }
  *this = std::move(larger);
}

}  // namespace sluis::linker
