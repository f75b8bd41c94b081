#include <zstd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "common/crypto/crypto.h"
#include "gtest/gtest.h"
#include "tests/integration/leak_scan.h"
#include "tests/integration/measured_run.h"
#include "tests/integration/world.h"
#include "tests/long_tests.h"

// Bad input as people give it, by the commands: the answer says what is wrong and where, holds no value of anybody, and
// nothing is lost. (What a bad value, an undeclared column, an unsigned or expired permit and an unknown measure give
// is in end_to_end_test.)

namespace sluis::testing {
namespace {

using nlohmann::json;

constexpr int kExitUsage = 2, kExitRefused = 3, kExitBadData = 4;

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  if (at != std::string::npos) text.replace(at, from.size(), to);
  return text;
}

// Writes `head`, then `bytes` of `block` over and over, then a line end, compressed.
void WriteZstd(const std::string& path, const std::string& head, const std::string& block, std::size_t bytes) {
  std::ofstream out(path, std::ios::binary);
  ZSTD_CCtx* context = ZSTD_createCCtx();
  std::string buffer(ZSTD_CStreamOutSize(), '\0');
  const auto write = [&](const std::string& text, ZSTD_EndDirective end) {
    ZSTD_inBuffer in{text.data(), text.size(), 0};
    for (bool more = true; more;) {
      ZSTD_outBuffer to{buffer.data(), buffer.size(), 0};
      const std::size_t left = ZSTD_compressStream2(context, &to, &in, end);
      ASSERT_FALSE(ZSTD_isError(left));
      out.write(buffer.data(), static_cast<std::streamsize>(to.pos));
      more = end == ZSTD_e_end ? left != 0 : in.pos < in.size;
    }
  };
  write(head, ZSTD_e_continue);
  for (std::size_t done = 0; done < bytes; done += block.size()) write(block, ZSTD_e_continue);
  write("\n", ZSTD_e_end);
  ZSTD_freeCCtx(context);
}

// `text` as often as it takes for 1 MiB.
std::string Mebibyte(const std::string& text) {
  std::string block;
  while (block.size() < (1 << 20)) block += text;
  return block;
}

class BadInput : public ::testing::Test {
 protected:
  void SetUp() override { world_.MakeCountry(); }

  std::vector<std::string> SubmitJobs(const std::string& file, const std::vector<std::string>& more = {}) const {
    return World::Submit("employment", "jobs", "jobs-1", "country/" + file, more);
  }

  // Has both officers approve the permit's folder as it is.
  void Approve(const std::string& folder) {
    for (const std::string officer : {"anna", "bram"}) {
      const Outcome outcome =
          world_.Sluis({"permit", "approve", folder, "--name", officer, "--key", "approvers/" + officer + ".key"});
      ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    }
  }

  World world_;
};

// Expects that the file is refused with this rule and a report that programs can read; returns its errors.
json ExpectReport(const Outcome& outcome, const std::string& file, const std::string& rule) {
  EXPECT_EQ(outcome.exit_code, kExitBadData) << outcome.out << outcome.err;
  const json report = json::parse(outcome.out, nullptr, false);
  EXPECT_TRUE(report.is_object()) << outcome.out;
  if (!report.is_object()) return {};
  EXPECT_EQ(report["file"], "country/" + file);
  EXPECT_EQ(report["register"], "jobs");
  EXPECT_EQ(report["ok"], false);
  EXPECT_TRUE(report["totals"].contains(rule)) << report["totals"];
  for (const json& error : report["errors"]) {
    EXPECT_TRUE(error["row"].is_number() && error["column"].is_string()) << error;
    EXPECT_NE(error["message"], "") << error;
  }
  EXPECT_NE(outcome.err.find("nothing has left"), std::string::npos) << outcome.err;
  return report["errors"];
}

TEST_F(BadInput, ExtractsAreRefusedByRowColumnAndRule) {
  const std::string jobs = ReadWhole(world_ / "country/jobs.csv");
  const std::string header = jobs.substr(0, jobs.find('\n') + 1);
  const auto submit = [&](const std::string& file) { return MeasureSluis(world_, SubmitJobs(file)); };
  const auto write = [&](const std::string& file, const std::string& text) {
    WriteWhole(world_ / ("country/" + file), text);
  };

  // Every value of the file is looked for in the answer; those of the second row are bad, each in its way.
  write("values.csv",
        header + "123456782;31-02-1980;X;Qwertzuiop;99QQ99;employer-7;01-13-2020;31-12-2020;745000;-17,17\n");
  const MeasuredOutcome values = submit("values.csv");
  const json errors = ExpectReport(values.outcome, "values.csv", "VALUE_TYPE");
  std::set<std::string> columns;
  for (const json& error : errors) {
    EXPECT_EQ(error["row"], 2) << error;
    columns.insert(error["column"]);
  }
  EXPECT_EQ(columns, (std::set<std::string>{"birth_date", "sex", "postcode", "employer", "start", "hours", "wage"}));
  const ByteScan scan({"123456782", "31-02-1980", "Qwertzuiop", "99QQ99", "employer-7", "01-13-2020", "31-12-2020",
                       "745000", "-17,17"});
  EXPECT_EQ(scan.Find(values.outcome.out + values.outcome.err), std::set<std::string>());
  EXPECT_EQ(scan.Find(ReadWhole(world_ / "country/values.csv")), scan.patterns()) << "the scan itself must work";

  ExpectReport((write("empty.csv", header), submit("empty.csv").outcome), "empty.csv", "REGISTER_EMPTY");
  ExpectReport((write("nothing.csv", ""), submit("nothing.csv").outcome), "nothing.csv", "FILE_EMPTY");
  ExpectReport((write("arity.csv", header + "123456782;01-01-1980\n"), submit("arity.csv").outcome), "arity.csv",
               "CSV_ARITY");
  ExpectReport((write("quote.csv", header + "\"123456782;01-01-1980\n"), submit("quote.csv").outcome), "quote.csv",
               "CSV_QUOTE");

  // A gzip file that ends early, and one that is none.
  const std::string packed = ReadWhole(world_ / "country/benefits.tsv.gz");
  WriteWhole(world_ / "country/cut.tsv.gz", packed.substr(0, packed.size() / 2));
  const Outcome cut = world_.Sluis(World::Submit("benefits", "benefits", "benefits-1", "country/cut.tsv.gz"));
  EXPECT_EQ(cut.exit_code, kExitBadData) << cut.out << cut.err;
  EXPECT_TRUE(json::parse(cut.out)["totals"].contains("FILE_TRUNCATED")) << cut.out;
  EXPECT_FALSE(json::parse(cut.out)["complete"]);
  ExpectReport((write("none.csv.gz", jobs), submit("none.csv.gz").outcome), "none.csv.gz", "FILE_COMPRESSION");

  // A line of 1 GB: one field, one quoted field, and nothing but delimiters. It is given up soon, in little memory.
  constexpr std::size_t kGigabyte = 1'000'000'000;
  constexpr long kPeakKib = 300 << 10;
  WriteZstd(world_ / "country/field.csv.zst", header + "123456782;", Mebibyte("x"), kGigabyte);
  WriteZstd(world_ / "country/quoted.csv.zst", header + "\"", Mebibyte("line\n"), kGigabyte);
  WriteZstd(world_ / "country/columns.csv.zst", header, Mebibyte(";"), kGigabyte);
  for (const auto& [file, rule] : std::map<std::string, std::string>{{"field.csv.zst", "CSV_FIELD_TOO_LONG"},
                                                                     {"quoted.csv.zst", "CSV_FIELD_TOO_LONG"},
                                                                     {"columns.csv.zst", "CSV_TOO_MANY_COLUMNS"}}) {
    const MeasuredOutcome outcome = submit(file);
    const json where = ExpectReport(outcome.outcome, file, rule);
    ASSERT_EQ(where.size(), 1u);
    EXPECT_EQ(where[0]["row"], 2) << file;
    EXPECT_LT(outcome.peak_kib, kPeakKib) << file;
  }

  // Nothing of all that reached a service. A register without a delivery is no hindrance to a linkage of the others,
  // and a table that needs it says so.
  EXPECT_EQ(world_.AuditLog("linker").by_type["delivery"], 0u);
  EXPECT_EQ(world_.QuotaUsed("employment")["identifiers"], 0u);
  ASSERT_EQ(world_.Sluis(World::Submit("population", "persons", "persons-1", "country/persons.csv")).exit_code, 0);
  ASSERT_EQ(world_.SluisAs("office", "link", {}).exit_code, 0);
  WriteWhole(world_ / "request.yaml", SmallRequest("work"));
  const Outcome missing = world_.SluisAs("office", "table", {"--request", "request.yaml", "--out", "release"});
  EXPECT_EQ(missing.exit_code, kExitRefused) << missing.err;
  EXPECT_EQ(json::parse(missing.err)["reason"], "DELIVERY_MISSING") << missing.err;
  EXPECT_NE(missing.err.find("register jobs"), std::string::npos) << missing.err;
  EXPECT_EQ(world_.Sluis(SubmitJobs("jobs.csv")).exit_code, 0) << "the good file is still welcome";
}

TEST_F(BadInput, PermitsAndRequestsAreRefusedByField) {
  // A field that permits do not have: the officers are told before they sign, and signed all the same it is refused.
  const std::string document = ReadWhole(world_ / "permit/permit.yaml");
  std::filesystem::copy(world_ / "permit", world_ / "unknown", std::filesystem::copy_options::recursive);
  WriteWhole(world_ / "unknown/permit.yaml", document + "colour: blue\n");
  const Outcome approved =
      world_.Sluis({"permit", "approve", "unknown", "--name", "anna", "--key", "approvers/anna.key"});
  EXPECT_EQ(approved.exit_code, kExitUsage) << approved.out << approved.err;
  EXPECT_NE(approved.err.find("colour"), std::string::npos) << approved.err;
  const Outcome submitted = world_.Sluis({"--json", "submit", "--config", "clients/employment.yaml", "--permit",
                                          "unknown", "--register", "jobs", "--delivery", "jobs-1", "country/jobs.csv"});
  EXPECT_TRUE(submitted.exit_code == kExitUsage || submitted.exit_code == kExitRefused) << submitted.err;

  // A hierarchy that misses a code of the field that it classifies: found by the gate before it looks at any row.
  const std::string sex = ReadWhole(world_ / "permit/hierarchies/sex.csv");
  const std::string narrower = Replaced(sex, "M,_T,Men\n", "");
  WriteWhole(world_ / "permit/hierarchies/sex.csv", narrower);
  WriteWhole(world_ / "permit/permit.yaml", Replaced(document, common::HexEncode(common::AsChars(common::Sha256(sex))),
                                                     common::HexEncode(common::AsChars(common::Sha256(narrower)))));
  Approve("permit");
  world_.Stop("gate");
  world_.Start("gate");
  WriteWhole(world_ / "request.yaml", SmallRequest("work"));
  const Outcome misses = world_.SluisAs("office", "table", {"--request", "request.yaml", "--out", "release"});
  EXPECT_EQ(misses.exit_code, kExitUsage) << misses.err;
  for (const std::string part : {"hierarchies/sex.csv", "dimension sex", "code M", "add it as a leaf"}) {
    EXPECT_NE(misses.err.find(part), std::string::npos) << part << ": " << misses.err;
  }
  WriteWhole(world_ / "permit/hierarchies/sex.csv", sex);
  WriteWhole(world_ / "permit/permit.yaml", document);
  Approve("permit");

  // A service does not start on a permit that one officer has not signed.
  const std::string signature = ReadWhole(world_ / "permit/permit.yaml.bram.sig");
  std::filesystem::remove(world_ / "permit/permit.yaml.bram.sig");
  world_.Stop("gate");
  const std::string gate = std::string(std::getenv("SLUIS_BINARY_DIR")) + "/sluis-disclosured";
  const Outcome unsigned_permit =
      Command({gate, "serve", "--config", "services/gate.yaml"}, world_.directory(), world_ / "output/gate").Wait();
  EXPECT_NE(unsigned_permit.exit_code, 0);
  EXPECT_NE((unsigned_permit.out + unsigned_permit.err).find("approv"), std::string::npos)
      << unsigned_permit.out << unsigned_permit.err;
  WriteWhole(world_ / "permit/permit.yaml.bram.sig", signature);
  world_.Start("gate");

  // A dimension that the permit lacks, by its name.
  WriteWhole(world_ / "request.yaml",
             Replaced(SmallRequest("work"), "{dimension: age, variable: age}", "{dimension: religion, variable: age}"));
  const Outcome lacks = world_.SluisAs("office", "table", {"--request", "request.yaml", "--out", "release"});
  EXPECT_EQ(lacks.exit_code, kExitRefused) << lacks.err;
  EXPECT_NE(lacks.err.find("dimension religion: the permit lacks it"), std::string::npos) << lacks.err;
  EXPECT_FALSE(std::filesystem::exists(world_ / "release"));

  // A table of one cell and its total is a table as any other.
  world_.SubmitAll();
  if (HasFatalFailure()) return;
  ASSERT_EQ(world_.SluisAs("office", "link", {}).exit_code, 0);
  const std::string one =
      Replaced(Replaced(SmallRequest("work"), "      - {dimension: sex, variable: sex}\n", ""),
               "      - {dimension: age, variable: age}\n", "      - {dimension: paid_work, variable: in_work}\n");
  WriteWhole(world_ / "request.yaml", one);
  const Outcome released = world_.SluisAs("office", "table", {"--request", "request.yaml", "--out", "release"});
  ASSERT_EQ(released.exit_code, 0) << released.err;
  EXPECT_EQ(
      world_.Sluis({"audit", "verify", "--release", "release", "--permit", "permit", "--log", "services/gate/log"})
          .exit_code,
      0);
}

// A register of `records` rows of some 150 bytes, all different.
void WriteJobs(const std::string& path, const std::string& header, int records) {
  std::ofstream out(path, std::ios::binary);
  out << header;
  const std::string name(74, 'a');
  for (int i = 0; i < records; ++i) {
    const std::string number = std::to_string(1'000'000 + i);
    out << ";0" << 1 + i % 9 << "-1" << i % 3 << "-19" << 40 + i % 60 << ";" << (i % 2 == 0 ? "F" : "M") << ";" << name
        << static_cast<char>('a' + i % 26) << static_cast<char>('a' + i / 26 % 26) << ";" << 1000 + i / 676 % 9000
        << static_cast<char>('A' + i % 26) << static_cast<char>('A' + i / 26 % 26) << ";8" << number
        << ";01-02-2020;;160;2000,50\n";
  }
}

// Checking, coarsening and counting the distinct identifiers: a file that is ten times as long (a hundred times in the
// long form: 300 MB) needs no more memory.
TEST_F(BadInput, ALongFileNeedsNoMoreMemory) {
  const std::string jobs = ReadWhole(world_ / "country/jobs.csv");
  const std::string header = jobs.substr(0, jobs.find('\n') + 1);
  const int few = 20'000, many = Repetitions(200'000, 2'000'000);
  WriteJobs(world_ / "country/few.csv", header, few);
  WriteJobs(world_ / "country/many.csv", header, many);
  const MeasuredOutcome small = MeasureSluis(world_, SubmitJobs("few.csv", {"--dry-run"}));
  const MeasuredOutcome large = MeasureSluis(world_, SubmitJobs("many.csv", {"--dry-run"}));
  ASSERT_EQ(small.outcome.exit_code, 0) << small.outcome.out << small.outcome.err;
  ASSERT_EQ(large.outcome.exit_code, 0) << large.outcome.out << large.outcome.err;
  EXPECT_EQ(json::parse(large.outcome.out)["records"], many);
  RecordProperty("peak_kib_small", static_cast<int>(small.peak_kib));
  RecordProperty("peak_kib_large", static_cast<int>(large.peak_kib));
  EXPECT_LT(large.peak_kib, small.peak_kib * 3 / 2) << small.peak_kib;
}

TEST_F(BadInput, CommandLinesThatNameTheWrongThing) {
  const std::string config = "clients/employment.yaml";
  const auto submit = [](const std::string& config_path, const std::string& permit, const std::string& file) {
    return std::vector<std::string>{"submit",     "--config", config_path,  "--permit", permit,
                                    "--register", "jobs",     "--delivery", "jobs-1",   file};
  };
  const std::vector<std::pair<std::vector<std::string>, std::string>> mistakes = {
      {{"sumbit"}, "there is no command sumbit"},
      {submit(config, "permit", "country/no.csv"), "file country/no.csv: there is no such file"},
      {submit(config, "permit", "country"), "file country is not a file"},
      {submit("permit", config, "country/jobs.csv"), "--config permit is not a file"},
      {submit("clients/no.yaml", "permit", "country/jobs.csv"), "--config clients/no.yaml: there is no such file"},
      {submit(config, "permit/permit.yaml", "country/jobs.csv"), "--permit permit/permit.yaml is not a folder"},
      {submit(config, "no", "country/jobs.csv"), "--permit no: there is no such folder"},
      {World::As("office", "table", {"--request", "permit", "--out", "release"}), "--request permit is not a file"},
      {World::As("office", "table", {"--request", "permit/permit.yaml", "--out", config}),
       "--out clients/employment.yaml is not a folder"},
      {World::As("office", "table", {"--request", "permit/permit.yaml", "--out", "country"}),
       "--out country holds other files"},
      {{"permit", "show", "permit/permit.yaml"}, "directory permit/permit.yaml is not a folder"},
      {{"permit", "check", config, "--config", "permit"}, "directory clients/employment.yaml is not a folder"}};
  for (const auto& [arguments, message] : mistakes) {
    const Outcome refused = world_.Sluis(arguments);
    EXPECT_EQ(refused.exit_code, kExitUsage) << message << refused.out << refused.err;
    EXPECT_NE(refused.err.find(message), std::string::npos) << message << " is not in " << refused.err;
  }
}

}  // namespace
}  // namespace sluis::testing
