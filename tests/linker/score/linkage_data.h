#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/bytes/secret.h"
#include "linker/encode/record_encoder.h"
#include "linker/kernel/encoding_table.h"

// Registers with known truth: FEBRL (Christen 2008) and the five registers of the anonlink project. Neither has quotes
// in its CSV.

namespace sluis::linker::testing {

// The encodings of a register and, for each row, the person.
struct EncodedRegister {
  EncodingTable table;
  std::vector<std::string> persons;
  std::size_t stable_begin = 0;  // where the stable section begins
};

struct RegisterFormat {
  std::vector<FieldDescription> fields;  // by column, without the first, which names the record
  std::vector<DateOrder> date_orders;
  bool number_before_dash;  // FEBRL: "rec-1070-org" is person 1070
};

inline RegisterFormat FebrlFormat() {
  return {{{"given_name", FeatureKind::kName},
           {"surname", FeatureKind::kName},
           {"street_number", FeatureKind::kDigits},
           {"address_1", FeatureKind::kText},
           {"address_2", FeatureKind::kText},
           {"suburb", FeatureKind::kText},
           {"postcode", FeatureKind::kDigits},
           {"state", FeatureKind::kCategory},
           {"date_of_birth", FeatureKind::kDate}},
          {},
          true};
}

inline RegisterFormat FivePartyFormat() {
  return {{{"givenname", FeatureKind::kName},
           {"surname", FeatureKind::kName},
           {"dob", FeatureKind::kDate},
           {"gender", FeatureKind::kCategory},
           {"city", FeatureKind::kText},
           {"income", FeatureKind::kNumber},
           {"phone number", FeatureKind::kDigits}},
          std::vector<DateOrder>(7, DateOrder::kDayFirst),
          false};
}

inline std::optional<std::filesystem::path> LinkageData() {
  const char* data = std::getenv("SLUIS_TEST_DATA");
  const char* source = std::getenv("SLUIS_SOURCE_DIR");
  const std::filesystem::path path = data != nullptr     ? std::filesystem::path(data)
                                     : source != nullptr ? std::filesystem::path(source) / "../shared/data"
                                                         : "../shared/data";
  return std::filesystem::exists(path / "linkage") ? std::optional(path / "linkage") : std::nullopt;
}

// The records of a register, as they stand: by record the values of the format's fields, empty for missing.
struct PlainRegister {
  std::vector<std::vector<std::string>> records;
  std::vector<std::string> persons;
};

inline PlainRegister ReadRegister(const std::filesystem::path& path, const RegisterFormat& format) {
  PlainRegister result;
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);  // header
  while (std::getline(file, line)) {
    std::vector<std::string> values;
    std::string_view rest = line;
    for (bool more = true; more;) {
      const std::size_t comma = rest.find(',');
      more = comma != std::string_view::npos;
      std::string_view value = rest.substr(0, comma);
      rest = more ? rest.substr(comma + 1) : std::string_view();
      while (!value.empty() && (value.front() == ' ')) value.remove_prefix(1);
      while (!value.empty() && (value.back() == ' ' || value.back() == '\r')) value.remove_suffix(1);
      values.emplace_back(value);
    }
    std::string person = values[0];
    if (format.number_before_dash) {
      person = person.substr(4, person.find('-', 4) - 4);
    }
    values.erase(values.begin());
    values.resize(format.fields.size());
    result.records.push_back(std::move(values));
    result.persons.push_back(std::move(person));
  }
  return result;
}

// Encodes by the default plan under a fixed key, with noise of the register's own. Aborts on a broken file.
inline EncodedRegister ReadAndEncode(const std::filesystem::path& path, const RegisterFormat& format) {
  EncodingPlan plan = DefaultPlan(format.fields);
  plan.label = "test";
  const auto key = [](std::string_view text) {
    const std::string bytes = std::string(text) + std::string(32, 'k');
    return common::SecretBytes::CopyOf(common::AsBytes(bytes));
  };
  const auto seeds = TokenSeeds::FromKey(key("tokens"));
  const common::SecretBytes noise = key(path.filename().string());
  auto encoder = RecordEncoder::Make(plan, *seeds, {.noise_key = &noise, .date_orders = format.date_orders});
  PlainRegister plain = ReadRegister(path, format);
  EncodedRegister result{*EncodingTable::Create(plan.EncodedBits()), std::move(plain.persons), plan.FirstSectionBits()};
  Encoding encoding;
  for (const std::vector<std::string>& record : plain.records) {
    const std::vector<std::string_view> values(record.begin(), record.end());
    if (!encoder->Encode(values, encoding).ok() || !result.table.Append(encoding.Row(0)).ok()) {
      std::abort();
    }
  }
  return result;
}

// Rows [begin, end) of a register.
inline EncodedRegister Slice(const EncodedRegister& from, std::size_t begin, std::size_t end) {
  EncodedRegister result{*EncodingTable::Create(from.table.bits()), {}, from.stable_begin};
  for (std::size_t row = begin; row < end; ++row) {
    if (!result.table.Append(from.table.row(row)).ok()) {
      std::abort();
    }
    result.persons.push_back(from.persons[row]);
  }
  return result;
}

}  // namespace sluis::linker::testing
