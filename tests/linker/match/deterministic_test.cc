#include "linker/match/deterministic.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "common/status/matchers.h"
#include "gtest/gtest.h"

namespace sluis::linker {
namespace {

using common::testing::StatusIs;

// One record: a value per match key of the permit, 0 = absent.
using Row = std::vector<std::uint64_t>;

// A register in memory, in chunks of `chunk_records`.
class MemoryRegister : public TokenSource {
 public:
  MemoryRegister(std::vector<Row> rows, std::vector<int> passes, std::uint32_t chunk_records)
      : rows_(std::move(rows)), passes_(std::move(passes)), chunk_records_(chunk_records) {}

  std::uint64_t records() const override { return rows_.size(); }
  const std::vector<Row>& rows() const { return rows_; }
  const std::vector<int>& passes() const { return passes_; }

  absl::Status Scan(const std::function<absl::Status(const TokenChunk&)>& visit) const override {
    for (std::size_t begin = 0; begin < rows_.size(); begin += chunk_records_) {
      const std::size_t count = std::min<std::size_t>(chunk_records_, rows_.size() - begin);
      std::vector<Token> tokens(count * passes_.size());
      for (std::size_t c = 0; c < passes_.size(); ++c) {
        for (std::size_t i = 0; i < count; ++i) {
          tokens[c * count + i] = {0, rows_[begin + i][static_cast<std::size_t>(passes_[c])]};
        }
      }
      if (absl::Status status = visit({begin, static_cast<std::uint32_t>(count), tokens}); !status.ok()) {
        return status;
      }
    }
    return absl::OkStatus();
  }

 private:
  std::vector<Row> rows_;
  std::vector<int> passes_;
  std::uint32_t chunk_records_;
};

struct Country {
  std::vector<std::string> match_keys;
  MemoryRegister backbone;
  std::vector<MemoryRegister> satellites;
  std::vector<bool> many;
};

struct Linked {
  absl::Status status;
  std::map<std::size_t, SatelliteLinks> links;
};

Linked Link(const Country& country, const LinkOptions& options = {}) {
  Linked out;
  const RegisterTokens backbone{"persons", false, country.backbone.passes(), &country.backbone};
  std::vector<RegisterTokens> satellites;
  for (std::size_t s = 0; s < country.satellites.size(); ++s) {
    satellites.push_back(
        {"satellite" + std::to_string(s), country.many[s], country.satellites[s].passes(), &country.satellites[s]});
  }
  out.status =
      LinkSatellites(backbone, satellites, country.match_keys, options, [&](std::size_t s, SatelliteLinks links) {
        EXPECT_TRUE(out.links.emplace(s, std::move(links)).second);
        return absl::OkStatus();
      });
  return out;
}

// The definition in the header, word for word, on maps; quadratic where that is plainer.
SatelliteLinks Oracle(const Country& country, std::size_t s) {
  const MemoryRegister& satellite = country.satellites[s];
  const bool many = country.many[s];
  const std::vector<Row>& rows = satellite.rows();
  struct Entity {
    std::vector<std::size_t> records;
    std::map<int, std::uint64_t> tokens;  // present ones, by pass
    std::optional<std::size_t> person;
    int pass = kNotFound;
  };
  std::vector<Entity> entities;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::map<int, std::uint64_t> tokens;
    for (const int k : satellite.passes()) {
      if (rows[i][static_cast<std::size_t>(k)] != 0) {
        tokens[k] = rows[i][static_cast<std::size_t>(k)];
      }
    }
    const auto same =
        std::find_if(entities.begin(), entities.end(), [&](const Entity& e) { return e.tokens == tokens; });
    if (many && !tokens.empty() && same != entities.end()) {
      same->records.push_back(i);
    } else {
      entities.push_back({{i}, tokens, std::nullopt, kNotFound});
    }
  }
  SatelliteLinks out;
  out.report.register_name = "satellite" + std::to_string(s);
  out.report.records = rows.size();
  out.report.entities = entities.size();
  for (int k = 0; k < static_cast<int>(country.match_keys.size()); ++k) {
    PassReport pass{.match_key = country.match_keys[static_cast<std::size_t>(k)]};
    const std::vector<int>& on_backbone = country.backbone.passes();
    std::map<std::size_t, std::size_t> claims;  // entity -> person
    for (std::size_t e = 0; e < entities.size(); ++e) {
      const auto token = entities[e].tokens.find(k);
      if (entities[e].person || token == entities[e].tokens.end() ||
          std::find(on_backbone.begin(), on_backbone.end(), k) == on_backbone.end()) {
        continue;
      }
      std::vector<std::size_t> persons;
      for (std::size_t b = 0; b < country.backbone.rows().size(); ++b) {
        if (country.backbone.rows()[b][static_cast<std::size_t>(k)] == token->second) {
          persons.push_back(b);
        }
      }
      if (persons.size() > 1) {
        ++pass.ambiguous;
      } else if (persons.size() == 1) {
        const bool taken = std::any_of(entities.begin(), entities.end(),
                                       [&](const Entity& other) { return other.person == persons[0]; });
        if (!many && taken) {
          ++pass.unavailable;
        } else {
          claims[e] = persons[0];
        }
      }
    }
    for (const auto& [e, person] : claims) {
      bool conflict = false;
      for (const auto& [other, other_person] : claims) {
        if (other == e || other_person != person) {
          continue;
        }
        conflict |= !many;
        for (const auto& [stronger, token] : entities[e].tokens) {
          const auto theirs = entities[other].tokens.find(stronger);
          conflict |= stronger < k && theirs != entities[other].tokens.end() && theirs->second != token;
        }
      }
      if (conflict) {
        ++pass.conflicts;
      } else {
        entities[e].person = person;
        entities[e].pass = k;
        ++pass.links;
        pass.linked_records += entities[e].records.size();
      }
    }
    out.report.passes.push_back(pass);
  }
  out.pass.resize(rows.size());
  out.entity.resize(rows.size());
  for (const Entity& entity : entities) {
    for (const std::size_t record : entity.records) {
      out.pass[record] = static_cast<std::uint8_t>(entity.pass);
      out.entity[record] = static_cast<std::uint32_t>(entity.person.value_or(entity.records[0]));
    }
    if (!entity.person) {
      ++out.report.unlinked;
      out.report.unlinked_records += entity.records.size();
    }
  }
  return out;
}

// Small domains, so that duplicates, nulls and contradictions abound.
Country RandomCountry(std::mt19937_64& random) {
  const std::size_t keys = 1 + random() % 4;
  const auto some_keys = [&] {
    std::vector<int> passes;
    for (std::size_t k = 0; k < keys; ++k) {
      if (random() % 6 != 0) {
        passes.push_back(static_cast<int>(k));
      }
    }
    return passes;
  };
  const std::uint64_t domain = 2 + random() % 60;
  const auto some_rows = [&](std::size_t count) {
    std::vector<Row> rows(count, Row(keys));
    for (Row& row : rows) {
      for (std::uint64_t& value : row) {
        value = random() % 5 == 0 ? 0 : 1 + random() % domain;
      }
    }
    return rows;
  };
  Country country{{}, MemoryRegister(some_rows(random() % 50), some_keys(), 1 + random() % 9), {}, {}};
  for (std::size_t k = 0; k < keys; ++k) {
    country.match_keys.push_back("key" + std::to_string(k));
  }
  for (std::size_t s = 0; s < 1 + random() % 3; ++s) {
    // Half of the rows are people of the backbone, perhaps with a value lost or mistyped.
    std::vector<Row> rows = some_rows(random() % 60);
    for (Row& row : rows) {
      if (!country.backbone.rows().empty() && random() % 2 == 0) {
        row = country.backbone.rows()[random() % country.backbone.rows().size()];
        if (random() % 2 == 0) {
          row[random() % keys] = random() % 2 == 0 ? 0 : 1 + random() % domain;
        }
      }
    }
    country.satellites.emplace_back(std::move(rows), some_keys(), 1 + random() % 9);
    country.many.push_back(random() % 2 == 0);
  }
  return country;
}

TEST(LinkSatellites, EqualsTheDefinitionOnRandomRegisters) {
  std::mt19937_64 random(20221);
  std::uint64_t links = 0, conflicts = 0, ambiguous = 0, unavailable = 0, unlinked = 0;
  for (int round = 0; round < 4000; ++round) {
    const Country country = RandomCountry(random);
    const Linked linked = Link(country, {.threads = 1 + round % 3});
    SLUIS_ASSERT_OK(linked.status);
    ASSERT_EQ(linked.links.size(), country.satellites.size());
    for (const auto& [s, result] : linked.links) {
      const SatelliteLinks expected = Oracle(country, s);
      ASSERT_EQ(result.pass, expected.pass) << "round " << round;
      ASSERT_EQ(result.entity, expected.entity) << "round " << round;
      ASSERT_EQ(result.report, expected.report) << "round " << round;
      for (const PassReport& pass : result.report.passes) {
        links += pass.links, conflicts += pass.conflicts;
        ambiguous += pass.ambiguous, unavailable += pass.unavailable;
      }
      unlinked += result.report.unlinked;
    }
  }
  // The oracle has been asked about every outcome.
  for (const std::uint64_t seen : {links, conflicts, ambiguous, unavailable, unlinked}) {
    EXPECT_GT(seen, 1000u);
  }
}

TEST(LinkSatellites, KeepsEachRecordOnceAndAtMostOneToOne) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 300; ++round) {
    const Country country = RandomCountry(random);
    const Linked linked = Link(country);
    SLUIS_ASSERT_OK(linked.status);
    for (const auto& [s, result] : linked.links) {
      std::uint64_t entities = result.report.unlinked, records = result.report.unlinked_records;
      for (const PassReport& pass : result.report.passes) {
        entities += pass.links;
        records += pass.linked_records;
      }
      EXPECT_EQ(entities, result.report.entities);
      EXPECT_EQ(records, result.report.records);
      EXPECT_EQ(result.pass.size(), country.satellites[s].rows().size());
      std::set<std::uint32_t> persons;
      for (std::size_t i = 0; i < result.pass.size(); ++i) {
        if (result.pass[i] != kNotFound && !country.many[s]) {
          EXPECT_TRUE(persons.insert(result.entity[i]).second) << "a person with two records";
        }
      }
    }
  }
}

// A register large enough that the least memory makes several partitions.
Country LargeCountry() {
  std::mt19937_64 random(99);
  constexpr std::uint64_t kPersons = 60'000;
  std::vector<Row> persons;
  for (std::uint64_t i = 0; i < kPersons; ++i) {
    persons.push_back({random() % 50 == 0 ? 0 : random(), 1 + random() % (kPersons * 8), random()});
  }
  Country country{{"bsn", "birth_sex_name", "name_postcode"}, MemoryRegister(persons, {0, 1, 2}, 1024), {}, {}};
  for (const bool many : {false, true}) {
    std::vector<Row> rows;
    for (std::uint64_t i = 0; i < kPersons; ++i) {
      Row row = persons[random() % kPersons];
      for (std::uint64_t& value : row) {
        value = random() % 10 == 0 ? random() % 3 : value;
      }
      rows.push_back(row);
    }
    country.satellites.emplace_back(rows, std::vector<int>{0, 1, 2}, 1000);
    country.many.push_back(many);
  }
  return country;
}

TEST(LinkSatellites, ResultDoesNotDependOnMemoryOrThreads) {
  const Country country = LargeCountry();
  std::uint64_t scanned_with_ample_memory = 0;
  const Linked ample = Link(country, {.progress = [&](std::uint64_t scanned, std::uint64_t total) {
                              EXPECT_LE(scanned, total);
                              scanned_with_ample_memory = total;
                            }});
  SLUIS_ASSERT_OK(ample.status);
  EXPECT_GT(ample.links.at(0).report.passes[1].links, 1000u);
  EXPECT_GT(ample.links.at(1).report.passes[1].conflicts, 10u);
  for (const std::uint64_t bytes : {1'800'000, 2'500'000, 4'000'000, 9'000'000, 16'000'000}) {
    for (const int threads : {1, 2}) {
      std::uint64_t last = 0, total = 0;
      const Linked tight =
          Link(country,
               {.memory_bytes = bytes, .threads = threads, .progress = [&](std::uint64_t scanned, std::uint64_t all) {
                  last = std::max(last, scanned);
                  total = all;
                }});
      SLUIS_ASSERT_OK(tight.status);
      for (const std::size_t s : {0, 1}) {
        EXPECT_EQ(tight.links.at(s).pass, ample.links.at(s).pass);
        EXPECT_EQ(tight.links.at(s).entity, ample.links.at(s).entity);
        EXPECT_EQ(tight.links.at(s).report, ample.links.at(s).report);
      }
      EXPECT_EQ(threads == 1 ? last : total, total);
      if (bytes < 4'000'000) {
        EXPECT_GT(total, 2 * scanned_with_ample_memory) << "the bound has not led to partitions";
      }
    }
  }
}

TEST(LinkSatellites, TwoRecordsWithOneBsnAreLeftToWeakerKeys) {
  const Country country{{"bsn", "name"},
                        MemoryRegister({{11, 21}, {12, 22}}, {0, 1}, 8),
                        {MemoryRegister({{11, 22}, {11, 21}}, {0, 1}, 8)},
                        {false}};
  const Linked linked = Link(country);
  SLUIS_ASSERT_OK(linked.status);
  EXPECT_EQ(linked.links.at(0).pass, (std::vector<std::uint8_t>{1, 1}));
  EXPECT_EQ(linked.links.at(0).entity, (std::vector<std::uint32_t>{1, 0}));
  EXPECT_EQ(linked.links.at(0).report.passes[0].conflicts, 2u);
}

TEST(LinkSatellites, SpellsThatContradictInAStrongerKeyAreNotLinkedByAWeakerOne) {
  // Two mistyped BSNs claim person 0 by name; a third spell without BSN contradicts neither.
  const Country country{{"bsn", "name"},
                        MemoryRegister({{11, 21}}, {0, 1}, 8),
                        {MemoryRegister({{31, 21}, {32, 21}, {0, 21}, {32, 21}}, {0, 1}, 3)},
                        {true}};
  const Linked linked = Link(country);
  SLUIS_ASSERT_OK(linked.status);
  EXPECT_EQ(linked.links.at(0).pass, (std::vector<std::uint8_t>{kNotFound, kNotFound, 1, kNotFound}));
  EXPECT_EQ(linked.links.at(0).entity, (std::vector<std::uint32_t>{0, 1, 0, 1}));
  EXPECT_EQ(linked.links.at(0).report.passes[1].conflicts, 2u);
  EXPECT_EQ(linked.links.at(0).report.unlinked_records, 3u);
}

TEST(LinkSatellites, LinksNothingOfEmptyRegisters) {
  const Country country{{"bsn"},
                        MemoryRegister({}, {0}, 8),
                        {MemoryRegister({}, {0}, 8), MemoryRegister({{1}, {0}}, {0}, 8)},
                        {true, false}};
  const Linked linked = Link(country);
  SLUIS_ASSERT_OK(linked.status);
  EXPECT_EQ(linked.links.at(0).report.records, 0u);
  EXPECT_EQ(linked.links.at(0).report.entities, 0u);
  EXPECT_EQ(linked.links.at(1).pass, (std::vector<std::uint8_t>{kNotFound, kNotFound}));
  EXPECT_EQ(linked.links.at(1).report.unlinked, 2u);
}

TEST(LinkSatellites, FailsIfTheMemoryBoundIsBelowTheLeast) {
  const Linked linked = Link(LargeCountry(), {.memory_bytes = 1'000'000});
  EXPECT_THAT(linked.status, StatusIs(absl::StatusCode::kResourceExhausted, "at least 1716076 bytes"));
}

TEST(LinkSatellites, FailsIfColumnsAreOutOfOrder) {
  const Country country{
      {"bsn", "name"}, MemoryRegister({{1, 2}}, {0, 1}, 8), {MemoryRegister({{1, 2}}, {1, 0}, 8)}, {false}};
  EXPECT_THAT(Link(country).status, StatusIs(absl::StatusCode::kInvalidArgument, "register satellite0"));
}

TEST(LinkSatellites, StopsWhenCancelled) {
  int asked = 0;
  const Linked linked = Link(LargeCountry(), {.threads = 1, .cancelled = [&] { return ++asked > 5; }});
  EXPECT_THAT(linked.status, StatusIs(absl::StatusCode::kCancelled, "cancelled"));
  EXPECT_TRUE(linked.links.empty());
  EXPECT_LT(asked, 10);
}

TEST(LinkSatellites, ReturnsWhatTheSinkReturns) {
  const Country country = LargeCountry();
  const RegisterTokens backbone{"persons", false, country.backbone.passes(), &country.backbone};
  const std::vector<RegisterTokens> satellites(3, {"jobs", true, {0, 1, 2}, &country.satellites[0]});
  int calls = 0;
  const absl::Status status = LinkSatellites(backbone, satellites, country.match_keys, {}, [&](auto, auto) {
    ++calls;
    return absl::ResourceExhaustedError("disk full");
  });
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kResourceExhausted, "disk full"));
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace sluis::linker
