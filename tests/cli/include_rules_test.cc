// The layering of CONTRIBUTING.md, held against the sources.
#include "tests/cli/include_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace sluis::cli::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::filesystem::path Root() {
  const char* root = std::getenv("SLUIS_SOURCE_DIR");
  return root == nullptr ? "." : root;
}

std::string Read(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST(IncludeRules, HoldInAllSources) {
  const std::vector<std::string> files = SourceFiles(Root());
  ASSERT_GT(files.size(), 200u) << "SLUIS_SOURCE_DIR is not the root of the sources";
  for (const std::string& file : files) {
    for (const Breach& breach : CheckFile(file, Read(Root() / file))) {
      ADD_FAILURE() << breach.file << ":" << breach.line << ": " << breach.rule;
    }
  }
}

TEST(IncludeRules, KnowTheSourcesOfEveryComponent) {
  const std::vector<std::string> files = SourceFiles(Root());
  for (const char* file : {"common/bytes/secret.h", "keys/oprf/server.h", "linker/match/deterministic.h",
                           "disclosure/attack/attack.h", "cli/main.cc", "tests/cli/include_rules_test.cc"}) {
    EXPECT_THAT(files, ::testing::Contains(file));
  }
}

// The control: each rule is broken once, and kept once by almost the same line.
struct Case {
  const char* file;
  const char* line;
  const char* rule;  // part of it; null: none is broken
};

TEST(IncludeRules, ReportEachBreach) {
  const Case cases[] = {
      {"linker/match/a.cc", "#include <grpcpp/grpcpp.h>", "gRPC and generated headers"},
      {"linker/server/a.cc", "#include <grpcpp/grpcpp.h>", nullptr},
      {"disclosure/table/a.h", "#include \"proto/sluis/linker/v1/linker.pb.h\"", "gRPC and generated headers"},
      {"disclosure/table/a.h", "  # include \"proto/sluis/linker/v1/linker.pb.h\"", "gRPC and generated headers"},
      {"disclosure/table/a.h", "// #include \"proto/sluis/linker/v1/linker.pb.h\"", nullptr},
      {"common/document/a.cc", "#include \"proto/sluis/common/v1/permit.pb.h\"", nullptr},
      {"common/permit/a.cc", "#include \"proto/sluis/common/v1/permit.pb.h\"", "gRPC and generated headers"},
      {"common/rpc/a.cc", "#include <grpcpp/grpcpp.h>", nullptr},
      {"tests/linker/match/a_test.cc", "#include <grpcpp/grpcpp.h>", "gRPC and generated headers"},
      {"tests/integration/a_test.cc", "#include <grpcpp/grpcpp.h>", nullptr},
      {"common/permit/a.cc", "#include \"keys/oprf/client.h\"", "common includes no component"},
      {"keys/custody/a.cc", "#include \"linker/match/deterministic.h\"", "keys includes neither"},
      {"linker/match/a.cc", "#include \"disclosure/table/plan.h\"", "linker does not include"},
      {"disclosure/table/a.cc", "#include \"linker/match/deterministic.h\"", "disclosure does not include"},
      {"disclosure/server/a.cc", "#include \"linker/store/delivery.h\"", "disclosure does not include"},
      {"linker/store/a.cc", "#include \"keys/custody/custody.h\"", "client side"},
      {"linker/store/a.cc", "#include \"keys/oprf/server.h\"", "key holder alone"},
      {"linker/store/a.cc", "#include \"keys/oprf/client.h\"", nullptr},
      {"cli/prepare/a.cc", "#include \"keys/oprf/server.h\"", "key holder alone"},
      {"linker/store/a.cc", "#include \"cli/prepare/spool.h\"", "only cli"},
      {"disclosure/attack/a.cc", "#include \"disclosure/suppress/suppress.h\"", "attack shares nothing"},
      {"disclosure/attack/a.cc", "#include \"disclosure/lp/solver.h\"", nullptr},
      {"disclosure/suppress/a.cc", "#include <ClpSimplex.hpp>", "Clp and its family"},
      {"disclosure/lp/a.cc", "#include <CoinPackedMatrix.hpp>", nullptr},
      {"linker/store/a.cc", "#include <rocksdb/db.h>", "RocksDB"},
      {"common/store/a.cc", "#include <rocksdb/db.h>", nullptr},
      {"disclosure/table/a.cc", "#include <sodium.h>", "libsodium"},
      {"common/crypto/a.cc", "#include <sodium.h>", nullptr},
      {"cli/app/a.cc", "#include \"tests/cli/include_rules.h\"", "do not include tests"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(std::string(c.file) + " " + c.line);
    const std::vector<Breach> breaches = CheckFile(c.file, std::string("#pragma once\n") + c.line + "\n");
    if (c.rule == nullptr) {
      EXPECT_THAT(breaches, IsEmpty());
    } else {
      ASSERT_EQ(breaches.size(), 1u);
      EXPECT_EQ(breaches[0].line, 2u);
      EXPECT_THAT(breaches[0].rule, HasSubstr(c.rule));
    }
  }
}

TEST(IncludeRules, ReportLongFiles) {
  std::string text;
  for (int i = 0; i < 500; ++i) text += "\n";
  EXPECT_THAT(CheckFile("cli/a.cc", text), IsEmpty());
  EXPECT_EQ(CheckFile("cli/a.cc", text + "\n"), (std::vector<Breach>{{"cli/a.cc", 0, "no file above 500 lines"}}));
}

}  // namespace
}  // namespace sluis::cli::testing
