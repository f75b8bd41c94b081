#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <utility>
#include <vector>

#include "linker/kernel/encoding_table.h"
#include "linker/score/record_level.h"

// Two registers of made-up people with known truth, encoded as record-level encodings are: each field's value sets bits
// of its own in one row of 1,024, values are frequent or rare, matching records differ by errors, and bits are flipped.

namespace sluis::linker::testing {

struct SyntheticOptions {
  std::size_t rows_a = 800;
  std::size_t rows_b = 800;
  std::size_t matches = 400;
  std::size_t fields = 6;
  double error = 0.15;  // of a field of a matching record: another value, of which it keeps half the tokens
  double flip = 0.02;
  double spread = 0;          // records are dirty to different degrees: errors from 0 to 2 * error
  std::size_t household = 1;  // so many rows in a row share two thirds of their fields before errors, as relatives do
  std::uint64_t seed = 1;
};

struct Synthetic {
  EncodingTable a;
  EncodingTable b;  // row r < matches of b is the person of row r of a; no others match
  std::size_t matches;
};

class SyntheticEncoder {
 public:
  explicit SyntheticEncoder(std::uint64_t seed) : random_(seed) {}

  double Uniform() { return static_cast<double>(random_() >> 11) * 0x1p-53; }

  // Each field has 1,000 values; the frequency of the v-th goes with 1 / v, as that of names does.
  std::vector<std::uint32_t> Person(std::size_t fields) {
    std::vector<std::uint32_t> values(2 * fields);  // two halves of a value, that an error replaces one at a time
    for (auto& value : values) {
      value = static_cast<std::uint32_t>(std::exp(Uniform() * std::log(1000.0)));
    }
    return values;
  }

  std::vector<std::uint32_t> Dirty(std::vector<std::uint32_t> values, double error) {
    for (auto& value : values) {
      if (Uniform() < error) {
        value = static_cast<std::uint32_t>(Uniform() * 1000);
      }
    }
    return values;
  }

  void Append(const std::vector<std::uint32_t>& values, double flip, EncodingTable* table) {
    std::vector<std::uint64_t> row(16);
    const std::size_t bits = 360 / values.size();
    for (std::size_t part = 0; part < values.size(); ++part) {
      std::mt19937_64 token(1000 * part + values[part]);
      for (std::size_t i = 0; i < bits; ++i) {
        const std::uint64_t bit = token() % 1024;
        row[bit / 64] |= std::uint64_t{1} << (bit % 64);
      }
    }
    for (std::uint64_t bit = 0; bit < 1024; ++bit) {
      row[bit / 64] ^= std::uint64_t{Uniform() < flip} << (bit % 64);
    }
    if (!table->Append(row).ok()) {
      std::abort();
    }
  }

 private:
  std::mt19937_64 random_;
};

inline Synthetic MakeSynthetic(const SyntheticOptions& options) {
  SyntheticEncoder encoder(options.seed);
  Synthetic result{*EncodingTable::Create(1024), *EncodingTable::Create(1024), options.matches};
  const auto error = [&] { return options.error * (1 + options.spread * (2 * encoder.Uniform() - 1)); };
  std::vector<std::vector<std::uint32_t>> matching;
  std::vector<std::uint32_t> relative;
  const auto draw = [&](std::size_t row) {
    std::vector<std::uint32_t> person = encoder.Person(options.fields);
    if (row % options.household != 0) {
      std::copy_n(relative.begin(), 2 * (options.fields * 2 / 3), person.begin());
    }
    return relative = std::move(person);
  };
  for (std::size_t row = 0; row < options.rows_a; ++row) {
    const auto person = draw(row);
    if (row < options.matches) {
      matching.push_back(person);
    }
    encoder.Append(encoder.Dirty(person, error() / 2), options.flip, &result.a);
  }
  for (std::size_t row = 0; row < options.rows_b; ++row) {
    const auto person = row < options.matches ? matching[row] : draw(row - options.matches);
    encoder.Append(encoder.Dirty(person, error() / 2), options.flip, &result.b);
  }
  return result;
}

struct Truth {
  double precision;
  double recall;
};

inline Truth TruthOf(const RecordLevelFit& fit, const Synthetic& data) {
  double right = 0;
  for (const CandidatePair& pair : fit.links) {
    right += pair.a == pair.b && pair.a < data.matches ? 1 : 0;
  }
  return {fit.links.empty() ? 1 : right / static_cast<double>(fit.links.size()),
          data.matches == 0 ? 1 : right / static_cast<double>(data.matches)};
}

}  // namespace sluis::linker::testing
