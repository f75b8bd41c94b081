#include "linker/store/residue_rows.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/crypto/crypto.h"
#include "common/status/status.h"
#include "linker/encode/encoding_bytes.h"

namespace sluis::linker {
namespace {

Token TokenOfPerson(std::uint32_t backbone_record) { return {.high = 1, .low = backbone_record}; }

// How many bits of each section of an encoding may be set, so that what the plan cannot have made is told apart.
struct MostBits {
  std::uint32_t first = 0;
  std::uint32_t stable = 0;
};

// Six standard deviations more than a section of `bits` sets and flips, which one encoding in 10^9 exceeds.
std::uint32_t MostBitsOfSection(std::uint32_t bits, std::uint32_t insertions, double flip) {
  const double flips = bits * flip;
  const double most = insertions + flips + 6 * std::sqrt(flips * (1 - flip));
  return static_cast<std::uint32_t>(std::min<double>(most, bits));
}

// Min-hash, diffusion and balancing set about half of all bits whatever the record, and give no bound; no plan has a
// stable section with them.
MostBits MostBitsOf(const EncodingPlan& plan) {
  if (plan.hashing != Hashing::kRandom || plan.hardening.diffusion != 0 || plan.hardening.balanced) {
    return {.first = plan.EncodedBits()};
  }
  const double flip = plan.hardening.flip;
  return {.first = MostBitsOfSection(plan.bits, plan.insertions, flip),
          .stable = MostBitsOfSection(plan.stable_bits, plan.stable_insertions, flip)};
}

std::uint32_t CountBits(std::span<const std::uint64_t> words) {
  std::uint32_t bits = 0;
  for (const std::uint64_t word : words) {
    bits += static_cast<std::uint32_t>(std::popcount(word));
  }
  return bits;
}

// Fills a MatchSource row by row.
class RowBuilder {
 public:
  static absl::StatusOr<RowBuilder> Create(const EncodingPlan& plan, const std::string& name, std::uint64_t records) {
    if (records >= kWithoutRow) {
      return absl::InvalidArgumentError(
          absl::StrCat("register ", name, ": more than ", kWithoutRow - 1, " records cannot be linked by similarity"));
    }
    RowBuilder builder(plan);
    builder.source_.name = name;
    builder.source_.exact.emplace_back();
    if (plan.profile == EncodingProfile::kFieldLevel) {
      for (std::size_t feature = 0; feature < plan.features.size(); ++feature) {
        SLUIS_ASSIGN_OR_RETURN(FieldColumn column, FieldColumn::Create(plan.EncodedBits()));
        builder.source_.columns.push_back(std::move(column));
      }
    } else {
      SLUIS_ASSIGN_OR_RETURN(EncodingTable table, EncodingTable::Create(plan.EncodedBits()));
      builder.source_.tables.push_back(std::move(table));
    }
    return builder;
  }

  // Reads a record's encodings; false if it has none, or one that the plan cannot have made.
  absl::StatusOr<bool> Read(std::string_view bytes) {
    SLUIS_RETURN_IF_ERROR(ReadEncodingBytes(plan_, bytes, encoding_));
    for (std::size_t i = 0; i < plan_.Encodings(); ++i) {
      const std::span<const std::uint64_t> words = encoding_.Row(i);
      const std::size_t first_words = plan_.FirstSectionBits() / 64;
      if (CountBits(words.first(first_words)) > most_bits_.first ||
          CountBits(words.subspan(first_words)) > most_bits_.stable) {
        return false;
      }
    }
    return encoding_.present != 0;
  }

  // Appends a row without encoding; returns its number.
  std::uint32_t AppendBare(Token person) {
    source_.exact.front().push_back(person);
    for (FieldColumn& column : source_.columns) {
      column.AppendMissing();
    }
    return source_.records++;
  }

  // Appends what was read last as a row; returns its number.
  absl::StatusOr<std::uint32_t> Append(Token person) {
    const std::uint32_t row = source_.records++;
    source_.exact.front().push_back(person);
    for (std::size_t feature = 0; feature < source_.columns.size(); ++feature) {
      if (encoding_.HasFeature(feature)) {
        SLUIS_RETURN_IF_ERROR(source_.columns[feature].Append(encoding_.Row(feature)));
      } else {
        source_.columns[feature].AppendMissing();
      }
    }
    if (!source_.tables.empty()) {
      SLUIS_RETURN_IF_ERROR(source_.tables.front().Append(encoding_.Row(0)));
      source_.record_of_row.push_back(row);
    }
    return row;
  }

  std::uint32_t rows() const { return source_.records; }
  MatchSource Take() { return std::move(source_); }

 private:
  explicit RowBuilder(const EncodingPlan& plan) : plan_(plan), most_bits_(MostBitsOf(plan)) {}

  const EncodingPlan& plan_;
  const MostBits most_bits_;
  MatchSource source_;
  Encoding encoding_;
};

// Calls `visit` with each record and its encodings.
absl::Status ScanRecords(const ProjectReader& reader, const DeliveryRecord& delivery,
                         const std::function<absl::Status(std::uint32_t record, std::string_view bytes)>& visit) {
  const std::size_t width = delivery.header.encoding_bytes;
  return reader.ScanEncodings(delivery, [&](std::uint64_t first_record, std::string_view encodings) -> absl::Status {
    auto record = static_cast<std::uint32_t>(first_record);
    for (; encodings.size() >= width; encodings.remove_prefix(width)) {
      SLUIS_RETURN_IF_ERROR(visit(record++, encodings.substr(0, width)));
    }
    return absl::OkStatus();
  });
}

// Returns which records have no token at all.
absl::StatusOr<std::vector<bool>> Tokenless(const ProjectReader& reader, const DeliveryRecord& delivery) {
  std::vector<bool> tokenless(delivery.header.records, true);
  SLUIS_RETURN_IF_ERROR(reader.ScanTokens(delivery, [&](const TokenChunk& chunk) {
    for (std::size_t i = 0; i < chunk.tokens.size(); ++i) {
      if (!chunk.tokens[i].absent()) {
        tokenless[chunk.first_record + i % chunk.count] = false;
      }
    }
    return absl::OkStatus();
  }));
  return tokenless;
}

}  // namespace

std::uint64_t BytesPerRow(const EncodingPlan& plan) {
  return plan.Encodings() * (plan.EncodedBits() / 8 + 2 * sizeof(std::uint32_t)) + sizeof(Token) +
         sizeof(std::uint32_t);
}

absl::StatusOr<MatchSource> BackboneRows(const ProjectReader& reader, const DeliveryRecord& delivery,
                                         const EncodingPlan& plan) {
  SLUIS_ASSIGN_OR_RETURN(RowBuilder builder,
                         RowBuilder::Create(plan, delivery.header.register_name, delivery.header.records));
  SLUIS_RETURN_IF_ERROR(
      ScanRecords(reader, delivery, [&](std::uint32_t record, std::string_view bytes) -> absl::Status {
        SLUIS_ASSIGN_OR_RETURN(const bool encoded, builder.Read(bytes));
        if (!encoded) {
          builder.AppendBare(TokenOfPerson(record));
          return absl::OkStatus();
        }
        return builder.Append(TokenOfPerson(record)).status();
      }));
  return builder.Take();
}

absl::StatusOr<ResidueRows> SatelliteRows(const ProjectReader& reader, const DeliveryRecord& delivery,
                                          const EncodingPlan& plan, bool many_per_person, const SatelliteLinks& links,
                                          std::uint64_t backbone_records) {
  SLUIS_ASSIGN_OR_RETURN(RowBuilder builder,
                         RowBuilder::Create(plan, delivery.header.register_name, delivery.header.records));
  std::vector<bool> tokenless;
  if (many_per_person) {
    SLUIS_ASSIGN_OR_RETURN(tokenless, Tokenless(reader, delivery));
  }
  ResidueRows rows;
  rows.row_of_entity.assign(delivery.header.records, kWithoutRow);
  std::vector<std::uint32_t> row_of_person(backbone_records, kWithoutRow);
  std::unordered_map<std::string, std::uint32_t> row_of_encoding;  // of tokenless records, by its SHA-256
  SLUIS_RETURN_IF_ERROR(
      ScanRecords(reader, delivery, [&](std::uint32_t record, std::string_view bytes) -> absl::Status {
        const bool linked = links.pass[record] != kNotFound;
        std::uint32_t& row = (linked ? row_of_person : rows.row_of_entity)[links.entity[record]];
        if (row != kWithoutRow) {
          return absl::OkStatus();
        }
        SLUIS_ASSIGN_OR_RETURN(const bool encoded, builder.Read(bytes));
        if (!encoded) {
          return absl::OkStatus();
        }
        if (!linked && many_per_person && tokenless[record]) {
          const common::Hash256 digest = common::Sha256(bytes);
          const auto [equal, inserted] =
              row_of_encoding.try_emplace(std::string(common::AsChars(digest)), builder.rows());
          if (!inserted) {
            row = equal->second;
            return absl::OkStatus();
          }
        }
        SLUIS_ASSIGN_OR_RETURN(row, builder.Append(linked ? TokenOfPerson(links.entity[record]) : Token{}));
        return absl::OkStatus();
      }));
  for (std::size_t record = 0; record < links.pass.size(); ++record) {
    if (links.pass[record] != kNotFound && row_of_person[links.entity[record]] == kWithoutRow) {
      row_of_person[links.entity[record]] = builder.AppendBare(TokenOfPerson(links.entity[record]));
    }
  }
  rows.source = builder.Take();
  return rows;
}

}  // namespace sluis::linker
