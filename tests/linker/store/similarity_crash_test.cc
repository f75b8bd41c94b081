#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <numeric>
#include <set>

#include "common/status/matchers.h"
#include "common/status/status.h"
#include "gtest/gtest.h"
#include "linker/store/link_project.h"
#include "tests/linker/store/people.h"
#include "tests/long_tests.h"

// kill -9 before a write of a linkage by similarity. The next linkage goes on behind the comparisons that
// were done, and what the store holds in the end is what a linkage leaves that nothing disturbed.

namespace sluis::linker {
namespace {

using testing::Encode;
using testing::Extract;
using testing::Keys;
using testing::kNow;
using testing::MakeEncodedExtract;
using testing::MakePeople;
using testing::SimilarPermit;

constexpr std::size_t kPeople = 150;
// Of a linkage: the marker, two parts of each of three comparisons, the links of three registers, the link set.
constexpr int kWrites = 11;

// With half of the first comparison kept, all of it, half of the third, all but the link set, and not at all.
std::vector<int> Moments() {
  std::vector<int> all(kWrites + 1);
  std::iota(all.begin(), all.end(), 0);
  return ::sluis::testing::Repetitions(0, 1) == 1 ? all : std::vector<int>{2, 3, 6, 10, kWrites};
}

common::RocksDbOptions StoreOptions() {
  common::RocksDbOptions options;
  options.families = RecordStore::Families();
  options.format_version = RecordStore::kFormatVersion;
  return options;
}

// Everyone on the backbone, and in the two others those from the fiftieth on; of those every third has a key.
Extract Register(const std::string& name) {
  const std::size_t from = name == "persons" ? 0 : 50;
  std::vector<testing::Person> people = MakePeople(kPeople, 11);
  people.erase(people.begin(), people.begin() + static_cast<std::ptrdiff_t>(from));
  std::vector<Keys> keys;
  for (std::size_t i = from; i < kPeople; ++i) keys.push_back({from == 0 || i % 3 == 0 ? 1 + i : 0, 0});
  return MakeEncodedExtract(name, name + "-1", keys, Encode(people, name));
}

// One seed and time throughout, so that equal links make link sets of one id.
absl::StatusOr<LinkSetHeader> Link(RecordStore& records) {
  SLUIS_ASSIGN_OR_RETURN(PreparedLinkSet prepared,
                         LinkProject(records, SimilarPermit(),
                                     common::SecretBytes::CopyOf(common::AsBytes(std::string(32, 's'))), {}, kNow));
  SLUIS_RETURN_IF_ERROR(records.Finish(std::move(prepared.change)));
  return prepared.header;
}

// Kills the process at the write for which none is left.
class DeadlyStore : public testing::FailingStore {
 public:
  using FailingStore::FailingStore;
  absl::Status Write(const common::WriteBatch& batch, bool sync) override {
    if (writes_left == 0) kill(getpid(), SIGKILL);
    return FailingStore::Write(batch, sync);
  }
};

// Links in a child, which is killed before a write when it has made `writes`. Returns whether it was.
bool LinkUntilKilled(const std::string& directory, int writes) {
  const pid_t child = fork();
  if (child == 0) {
    const auto store = common::OpenRocksDb(directory, StoreOptions());
    if (!store.ok()) _exit(3);
    DeadlyStore deadly(**store);
    deadly.writes_left = writes;
    RecordStore records(deadly, SimilarPermit().id, testing::StorageKey());
    _exit(Link(records).ok() ? 0 : 4);
  }
  int exit_status = 0;
  EXPECT_EQ(waitpid(child, &exit_status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(exit_status) || WEXITSTATUS(exit_status) == 0) << WEXITSTATUS(exit_status);
  return WIFSIGNALED(exit_status);
}

// All keys of the store, with BUILD for the random name of the one link set's links.
std::set<std::string> StoreKeys(const common::Store& store) {
  std::set<std::string> keys;
  for (auto& [key, value] : testing::Everything(store)) {
    const std::string folder = "/links/";
    const std::size_t at = key.find(folder);
    keys.insert(at == std::string::npos ? key : key.replace(at + folder.size(), kBuildIdLength, "BUILD"));
  }
  return keys;
}

// The parts of the comparisons that are kept whole: the head, part 0, is written last.
std::map<std::string, std::string> WholeComparisons(const common::Store& store) {
  std::map<std::string, std::string> values;
  for (const auto& [key, value] : testing::Everything(store)) {
    if (key.find("/comparison/") != std::string::npos) values[key] = value;
  }
  std::erase_if(values, [&values](const auto& part) {
    return !values.contains(part.first.substr(0, part.first.size() - 4) + std::string(4, '\0'));
  });
  return values;
}

TEST(SimilarityCrash, ALinkageThatWasKilledAtAnyWriteEndsAsOneThatWasNot) {
  const std::vector<Extract> registers = {Register("persons"), Register("jobs"), Register("benefits")};
  const auto fill = [&registers](RecordStore& records) {
    for (const Extract& extract : registers) SLUIS_ASSERT_OK(Upload(records, extract, SimilarPermit()));
  };
  const auto memory = common::MakeMemoryStore(RecordStore::Families());
  RecordStore undisturbed(*memory, SimilarPermit().id, testing::StorageKey());
  fill(undisturbed);
  const auto expected = Link(undisturbed);
  SLUIS_ASSERT_OK(expected);
  for (const LinkageReport& report : expected->reports) ASSERT_GT(report.similarity->links, 50u);

  std::string path = ::testing::TempDir() + "/similarity_crash_XXXXXX";
  const std::string root = mkdtemp(path.data());
  for (const int writes : Moments()) {
    SCOPED_TRACE("killed before write " + std::to_string(writes));
    const std::string directory = root + "/" + std::to_string(writes);
    {
      const auto store = common::OpenRocksDb(directory, StoreOptions());
      SLUIS_ASSERT_OK(store);
      RecordStore records(**store, SimilarPermit().id, testing::StorageKey());
      fill(records);
    }
    const bool killed = LinkUntilKilled(directory, writes);
    EXPECT_EQ(killed, writes < kWrites);
    const auto store = common::OpenRocksDb(directory, StoreOptions());
    SLUIS_ASSERT_OK(store);
    RecordStore records(**store, SimilarPermit().id, testing::StorageKey());
    EXPECT_EQ(records.reader().LinkSets()->empty(), killed);
    const std::map<std::string, std::string> kept = WholeComparisons(**store);
    EXPECT_EQ(kept.size(), 2u * std::clamp((writes - 1) / 2, 0, 3));  // parts
    const auto linked = Link(records);
    SLUIS_ASSERT_OK(linked);
    EXPECT_EQ(*linked, *expected);
    EXPECT_EQ(StoreKeys(**store), StoreKeys(*memory));
    // What was kept was not made again: sealed values differ each time.
    const std::map<std::string, std::string> after = WholeComparisons(**store);
    for (const auto& [key, value] : kept) EXPECT_EQ(after.at(key), value);
  }
  std::filesystem::remove_all(root);
}

}  // namespace
}  // namespace sluis::linker
