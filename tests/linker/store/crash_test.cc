#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <random>
#include <set>
#include <thread>

#include "common/crypto/crypto.h"
#include "common/status/matchers.h"
#include "gtest/gtest.h"
#include "linker/store/link_project.h"
#include "tests/linker/store/people.h"
#include "tests/long_tests.h"

// kill -9 at random moments while deliveries are uploaded, committed, replaced and linked. What the process had
// acknowledged through a pipe must be there afterwards; what it had not is there as a whole or not at all.

namespace sluis::linker {
namespace {

using testing::Extract;
using testing::Keys;
using testing::kNow;
using testing::SimilarPermit;

constexpr std::uint32_t kMaxLifeMilliseconds = 60;

common::RocksDbOptions StoreOptions() {
  common::RocksDbOptions options;
  options.families = RecordStore::Families();
  options.format_version = RecordStore::kFormatVersion;
  options.write_buffer_bytes = 256 << 10;  // so that tables are written all the time
  return options;
}

std::string Encodings(std::uint32_t n) { return testing::AnyEncodings(200, "persons " + std::to_string(n)); }

// The n-th delivery of persons replaces the one before; the same n always gives the same bytes.
Extract Delivery(std::uint32_t n) {
  std::vector<Keys> records;
  for (std::uint64_t i = 0; i < 200; ++i) {
    records.push_back({1 + i + n, 1001 + i});
  }
  return testing::MakeEncodedExtract("persons", "p-" + std::to_string(n), records, Encodings(n), 32,
                                     n == 0 ? "" : "p-" + std::to_string(n - 1));
}
Extract Jobs() {
  return testing::MakeEncodedExtract("jobs", "jobs-1", {{1, 1001}, {2, 0}, {0, 1003}},
                                     testing::AnyEncodings(3, "jobs"));
}

// What the child says it has got an OK for.
struct Acknowledged {
  std::uint32_t delivery;
  std::uint32_t chunks;
  std::uint32_t committed;  // 1: the delivery is committed
  std::uint32_t links;      // 1: and linked, under `link_set`
  LinkSetId link_set;
};

// Goes on with what the store holds, until killed.
[[noreturn]] void Work(const std::string& directory, std::uint32_t delivery, int acknowledge) {
  const auto store = common::OpenRocksDb(directory, StoreOptions());
  if (!store.ok()) {
    _exit(3);
  }
  RecordStore records(**store, SimilarPermit().id, testing::StorageKey());
  const auto say = [&](const Acknowledged& said) {
    if (write(acknowledge, &said, sizeof(said)) != sizeof(said)) {
      _exit(4);
    }
  };
  if (!records.reader().Current("jobs")->has_value() && !Upload(records, Jobs(), SimilarPermit()).ok()) {
    _exit(5);
  }
  for (;; ++delivery) {
    const Extract extract = Delivery(delivery);
    const auto begun = records.BeginUpload(extract.header, SimilarPermit(), kNow);
    if (!begun.ok()) {
      _exit(6);
    }
    if (begun->state == DeliveryState::kUploading) {
      for (std::uint32_t number = begun->chunks; number < extract.chunks(); ++number) {
        if (!Append(records, extract, number).ok()) {
          _exit(7);
        }
        say({delivery, number + 1, 0, 0, {}});
      }
      if (!Commit(records, extract).ok()) {
        _exit(8);
      }
    }
    say({delivery, extract.chunks(), 1, 0, {}});
    auto linked = LinkProject(records, SimilarPermit(), common::SecretBytes::Random(32), {}, kNow);
    if (!linked.ok() || !records.Finish(std::move(linked->change)).ok()) {
      _exit(9);
    }
    say({delivery, extract.chunks(), 1, 1, linked->id});
  }
}

// Returns the number of deliveries that are committed; `said`: the last acknowledgement.
void Check(const std::string& directory, const Acknowledged& said) {
  const auto store = common::OpenRocksDb(directory, StoreOptions());
  SLUIS_ASSERT_OK(store);
  RecordStore records(**store, SimilarPermit().id, testing::StorageKey());
  const auto current = records.reader().Current("persons");
  SLUIS_ASSERT_OK(current);
  // The acknowledged delivery, or the next, which may have been committed without a word.
  std::uint32_t committed = said.delivery + said.committed;
  if (*current) {
    const std::uint32_t n = static_cast<std::uint32_t>(std::stoul((*current)->header.delivery_id.substr(2)));
    ASSERT_TRUE(n + 1 == committed || n == committed)
        << "delivery " << n << " is current, " << committed << " were acknowledged";
    committed = n + 1;
    const Extract extract = Delivery(n);
    EXPECT_EQ((*current)->sha256, extract.Digest());
    for (std::uint32_t number = 0; number < extract.chunks(); ++number) {
      EXPECT_EQ(*records.reader().Rows(**current, number), extract.rows[number]);
      EXPECT_EQ(*records.reader().Pseudonyms(**current, number), extract.pseudonyms[number]);
      EXPECT_EQ(*records.reader().Encodings(**current, number), extract.encodings[number]);
    }
    std::uint64_t tokens = 0;
    SLUIS_ASSERT_OK(records.reader().ScanTokens(**current, [&](const TokenChunk& chunk) {
      tokens += chunk.tokens.size();
      return absl::OkStatus();
    }));
    EXPECT_EQ(tokens, 400u);
    // What it replaced is gone as a whole.
    if (n > 0) {
      EXPECT_TRUE(testing::KeysWith(**store, kChunks, "/p-" + std::to_string(n - 1) + "/").empty());
      EXPECT_TRUE(testing::KeysWith(**store, kLinkSets, "/p-" + std::to_string(n - 1) + "/").empty());
    }
  } else {
    ASSERT_EQ(committed, 0u);
  }
  if (committed == said.delivery) {
    const auto status = records.Status(Delivery(said.delivery).name());
    if (said.chunks > 0) {
      SLUIS_ASSERT_OK(status);
      EXPECT_GE(status->chunks, said.chunks);
      EXPECT_LE(status->chunks, said.chunks + 1);
    }
  }
  // Link sets are there as a whole, the acknowledged one among them.
  const auto link_sets = records.reader().LinkSets();
  SLUIS_ASSERT_OK(link_sets);
  EXPECT_TRUE(said.links == 0 || std::count_if(link_sets->begin(), link_sets->end(), [&said](const auto& link_set) {
                                   return !link_set.deleted() && link_set.id == said.link_set;
                                 }) == 1);
  std::set<std::string> builds;  // of link sets that are kept, or were being written
  for (const std::string& key : testing::KeysWith(**store, kLinkSets, "/build/")) {
    builds.insert(key.substr(key.rfind('/') + 1));
  }
  for (const auto& [id, build, header] : *link_sets) {
    if (build == kDeletedBuild) {
      continue;
    }
    builds.insert(build);
    for (const char* name : {"persons", "jobs"}) {
      std::uint64_t records_linked = 0;
      SLUIS_ASSERT_OK(records.reader().ScanLinks(id, name, [&](auto, const LinkChunk& chunk) {
        records_linked += chunk.ids.size();
        return absl::OkStatus();
      }));
      EXPECT_EQ(records_linked, std::string(name) == "persons" ? 200u : 3u);
    }
  }
  EXPECT_LE(builds.size(), RecordStoreOptions().kept_link_sets + 1);
  for (const std::string& key : testing::KeysWith(**store, kLinkSets, "/links/")) {
    EXPECT_TRUE(builds.contains(key.substr(key.find("/links/") + 7, kBuildIdLength)));
  }
}

TEST(RecordStoreCrash, KeepsWhatWasAcknowledgedThroughKills) {
  std::string path = ::testing::TempDir() + "/linker_crash_XXXXXX";
  const std::string directory = mkdtemp(path.data());
  std::mt19937 random(31);
  Acknowledged said{};
  int killed_in_work = 0;
  const int rounds = ::sluis::testing::Repetitions(15, 400);
  for (int round = 0; round < rounds && !HasFatalFailure(); ++round) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      close(ends[0]);
      Work(directory, said.delivery, ends[1]);
    }
    close(ends[1]);
    // The clock runs from the first acknowledgement, so that slow machines are killed at work too.
    Acknowledged next;
    if (read(ends[0], &next, sizeof(next)) == sizeof(next)) {
      said = next;
      std::this_thread::sleep_for(std::chrono::microseconds(random() % (kMaxLifeMilliseconds * 1000)));
    }
    kill(child, SIGKILL);
    int exit_status = 0;
    ASSERT_EQ(waitpid(child, &exit_status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(exit_status)) << "the work itself failed with exit code " << WEXITSTATUS(exit_status);
    while (read(ends[0], &next, sizeof(next)) == sizeof(next)) {
      said = next;
      ++killed_in_work;
    }
    close(ends[0]);
    Check(directory, said);
  }
  EXPECT_GT(killed_in_work, rounds / 2);
  EXPECT_GT(said.delivery, 0u);
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace sluis::linker
