#include "tests/linker/store/people.h"

#include <array>
#include <set>
#include <string_view>
#include <utility>

#include "common/crypto/crypto.h"
#include "gtest/gtest.h"
#include "linker/encode/encoding_bytes.h"
#include "linker/encode/permit_plan.h"
#include "linker/encode/record_encoder.h"
#include "linker/encode/token_seeds.h"

namespace sluis::linker::testing {
namespace {

template <typename T>
const T& OneOf(const std::vector<T>& values, std::mt19937& random) {
  return values[random() % values.size()];
}

std::string Word(std::size_t syllables, std::mt19937& random) {
  static const std::vector<std::string> kOnsets = {"b", "d", "f", "g", "h", "j", "k",  "l",  "m",  "n",
                                                   "p", "r", "s", "t", "v", "w", "st", "br", "kl", "z"};
  static const std::vector<std::string> kRhymes = {"a", "e", "i", "o", "u", "aan", "en", "ij", "oe", "er", "is", "ol"};
  std::string word;
  for (std::size_t i = 0; i < syllables; ++i) word += OneOf(kOnsets, random) + OneOf(kRhymes, random);
  return word;
}

std::string Digits(int number, std::size_t width) {
  std::string digits = std::to_string(number);
  return std::string(width - std::min(width, digits.size()), '0') + digits;
}

EncodingPlan Plan() { return *PlanOf(SimilarPermit()); }

}  // namespace

common::Permit SimilarPermit() {
  using common::SimilarityKind;
  common::Permit permit = ExamplePermit();
  auto& features = permit.similarity.emplace().features;
  for (const auto& [name, kind] : {std::pair("first_name", SimilarityKind::kName),
                                   {"surname", SimilarityKind::kName},
                                   {"birth_date", SimilarityKind::kDate},
                                   {"street", SimilarityKind::kText},
                                   {"postcode", SimilarityKind::kDigits}}) {
    common::SimilarityFeature& feature = features.emplace_back();
    feature.name = name;
    feature.kind = kind;
  }
  for (common::PermitRegister& reg : permit.registers) {
    for (const common::SimilarityFeature& feature : features) {
      reg.features.push_back({feature.name, feature.name, {}});
    }
  }
  return permit;
}

std::vector<Person> MakePeople(std::size_t count, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<std::string> first_names, surnames, streets;
  for (int i = 0; i < 150; ++i) first_names.push_back(Word(2, random));
  for (int i = 0; i < 600; ++i) surnames.push_back(Word(3, random));
  for (int i = 0; i < 300; ++i) streets.push_back(Word(2, random) + "straat");
  std::set<Person> people;
  std::vector<Person> out;
  while (out.size() < count) {
    Person person = {OneOf(first_names, random), OneOf(surnames, random),
                     Digits(1930 + static_cast<int>(random() % 80), 4) + "-" +
                         Digits(1 + static_cast<int>(random() % 12), 2) + "-" +
                         Digits(1 + static_cast<int>(random() % 28), 2),
                     OneOf(streets, random) + " " + std::to_string(1 + random() % 150),
                     Digits(1000 + static_cast<int>(random() % 9000), 4) + std::string(2, 'A' + char(random() % 26))};
    if (people.insert(person).second) out.push_back(std::move(person));
  }
  return out;
}

Person WithSlips(Person person, std::mt19937& random) {
  const std::size_t slips = 1 + random() % 2;
  for (std::size_t i = 0; i < slips; ++i) {
    std::string& value = person[random() % person.size()];
    if (random() % 6 == 0 || value.empty()) {
      value.clear();
      continue;
    }
    char& letter = value[random() % value.size()];
    if (letter >= '0' && letter <= '9') {
      letter = static_cast<char>('0' + random() % 10);
    } else if (letter != '-') {
      letter = static_cast<char>('a' + random() % 26);
    }
  }
  return person;
}

std::string Encode(const std::vector<Person>& people, const std::string& noise) {
  return EncodeBy(Plan(), people, noise);
}

std::string EncodeBy(const EncodingPlan& plan, const std::vector<Person>& people, const std::string& noise) {
  const auto secret = [](const std::string& label) {
    const common::Hash256 hash = common::Sha256(label);
    return common::SecretBytes::CopyOf(common::AsBytes(common::AsChars(hash)));
  };
  const auto seeds = TokenSeeds::FromKey(secret("token key"));
  EXPECT_TRUE(seeds.ok());
  const common::SecretBytes noise_key = secret(noise);
  auto encoder = RecordEncoder::Make(plan, *seeds, {.noise_key = &noise_key});
  EXPECT_TRUE(encoder.ok()) << encoder.status();
  std::string out;
  Encoding encoding;
  for (const Person& person : people) {
    const std::vector<std::string_view> values(person.begin(), person.end());
    const absl::Status encoded = encoder->Encode(values, encoding);
    EXPECT_TRUE(encoded.ok()) << encoded;
    AppendEncodingBytes(plan, encoding, out);
  }
  return out;
}

std::string AnyEncodings(std::size_t records, const std::string& label) {
  const std::size_t size = records * EncodingBytes(Plan());
  std::string out;
  for (std::size_t i = 0; out.size() < size; ++i) {
    out += common::AsChars(common::Sha256(label + " " + std::to_string(i)));
  }
  out.resize(size);
  return out;
}

Extract MakeEncodedExtract(const std::string& register_name, const std::string& delivery_id,
                           const std::vector<Keys>& records, const std::string& encodings, std::uint32_t chunk_records,
                           const std::string& replaces) {
  Extract extract = MakeExtract(register_name, delivery_id, records, chunk_records, replaces);
  const EncodingPlan plan = Plan();
  extract.header.encoding_plan_sha256 = plan.Digest();
  extract.header.encoding_bytes = static_cast<std::uint32_t>(EncodingBytes(plan));
  extract.header.signature = common::SignDelivery(StatementOf(extract.header), CustodianKey());
  const std::size_t chunk_bytes = chunk_records * EncodingBytes(plan);
  for (std::size_t at = 0; at < encodings.size(); at += chunk_bytes) {
    extract.encodings.push_back(encodings.substr(at, chunk_bytes));
  }
  EXPECT_EQ(encodings.size(), records.size() * EncodingBytes(plan));
  return extract;
}

}  // namespace sluis::linker::testing
