#include "cli/show/table_view.h"

#include "common/status/matchers.h"
#include "disclosure/release/write_csv.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/disclosure/release/sample.h"

namespace sluis::cli {
namespace {

using common::testing::StatusIs;
using disclosure::testing::SampleRates;
using disclosure::testing::SampleTable;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(DryRunText, ShowsCellsEmptyShareAndThatItWouldBeReleased) {
  const auto text = DryRunText(R"({"dry_run": true, "link_set": "l1", "tables": [
      {"name": "work", "cells": 13200, "empty_percent": 45}, {"name": "linkage_jobs", "cells": 12}],
      "would_be_refused": []})");
  SLUIS_ASSERT_OK(text);
  EXPECT_EQ(*text,
            "Dry run over link set l1: nothing was released.\n"
            "\n"
            "  table         cells   empty\n"
            "  work          13 200  about 45 %\n"
            "  linkage_jobs  12      -\n"
            "  all           13 212\n"
            "  -: a table too small for its share of empty cells to be told\n"
            "\n"
            "The gate would release these tables, after protecting them.\n");
}

TEST(DryRunText, ShowsWhyItWouldBeRefused) {
  const auto text = DryRunText(R"({"link_set": "l1", "tables": [{"name": "work", "cells": 300, "empty_percent": 0}],
      "would_be_refused": ["the tables cannot be protected", "second\u001b[2J"]})");
  SLUIS_ASSERT_OK(text);
  EXPECT_THAT(*text, HasSubstr("The gate would refuse this request:\n  - the tables cannot be protected\n"));
  EXPECT_THAT(*text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(*text, Not(HasSubstr("would release")));
  EXPECT_THAT(*text, Not(HasSubstr("too small")));
}

TEST(DryRunText, RefusesASummaryInAnotherForm) {
  for (const char* bad : {"", "{}", "[]", R"({"link_set": 1, "tables": [], "would_be_refused": []})",
                          R"({"link_set": "l", "tables": [{"name": "x"}], "would_be_refused": []})"}) {
    EXPECT_THAT(DryRunText(bad), StatusIs(absl::StatusCode::kInternal, "summary")) << bad;
  }
}

TEST(ReleaseText, SaysWhatWasReleasedAndWhereItIs) {
  const disclosure::ReleaseFiles files = {{"release.json", ""}, {"tables/work.csv", ""}};
  const auto text = ReleaseText(R"({"release": "work-2026", "link_set": "l1", "tables": [
      {"name": "work", "cells": 1320, "suppressed_cells": "100-249"},
      {"name": "linkage_jobs", "cells": 12, "suppressed_cells": "none"}]})",
                                files, "out/release");
  SLUIS_ASSERT_OK(text);
  EXPECT_EQ(*text,
            "Release work-2026 is in out/release: 2 files, made from link set l1\n"
            "  table         cells  suppressed  file\n"
            "  work          1 320  100-249     out/release/tables/work.csv\n"
            "  linkage_jobs  12     none        out/release/tables/linkage_jobs.csv\n"
            "Each table is there as CSV, JSON-stat and SDMX-CSV. Checked: the gate's log has the entry about this "
            "request and these files.\n");
  EXPECT_THAT(ReleaseText("{}", files, "out"), StatusIs(absl::StatusCode::kInternal, "summary"));
}

disclosure::ReleaseFiles FilesOf(const std::vector<disclosure::ReleasedTable>& tables, disclosure::Manifest& manifest) {
  disclosure::ReleaseFiles files;
  for (const auto& table : tables) {
    files[disclosure::CsvPath(table.name)] = disclosure::WriteTidyCsv(table);
    manifest.tables.emplace_back().name = table.name;
  }
  return files;
}

TEST(TablesText, ShowsLinkageRatesLast) {
  disclosure::Manifest manifest;
  const disclosure::ReleaseFiles files = FilesOf({SampleRates(), SampleTable()}, manifest);
  const auto text = TablesText(files, manifest, "out");
  SLUIS_ASSERT_OK(text);
  const std::size_t table = text->find("The whole table, 15 cells: out/tables/work.csv\n");
  const std::size_t rates = text->find("out/tables/" + SampleRates().name + ".csv\n");
  ASSERT_NE(table, std::string::npos) << *text;
  ASSERT_NE(rates, std::string::npos) << *text;
  EXPECT_LT(table, rates);
  EXPECT_THAT(*text, Not(HasSubstr("Shown:")));
}

TEST(TablesText, ShowsTheBeginningOfALongTableAndSaysSo) {
  disclosure::ReleasedTable table;
  table.name = "long";
  for (const char* name : {"a", "b", "c"}) {
    disclosure::ReleasedDimension& dimension = table.dimensions.emplace_back();
    dimension.name = name;
    dimension.codes.push_back({"T", "Total", 0});
    const int codes = name[0] == 'b' ? 1 : 99;
    for (int i = 0; i < codes; ++i) dimension.codes.push_back({"x" + std::to_string(i), "", 1});
  }
  table.measures = {{"people", "persons"}};
  table.values.assign(100 * 2 * 100, 5);
  disclosure::Manifest manifest;
  const disclosure::ReleaseFiles files = FilesOf({table}, manifest);
  const auto text = TablesText(files, manifest, "out");
  SLUIS_ASSERT_OK(text);
  EXPECT_THAT(*text, HasSubstr("\nShown: 40 of 100 rows in 4 of 100 sections\n"
                               "The whole table, 20 000 cells: out/tables/long.csv\n"));
  EXPECT_LT(std::count(text->begin(), text->end(), '\n'), 220);
}

TEST(TablesText, RefusesAFileThatIsNoTable) {
  disclosure::Manifest manifest;
  disclosure::ReleaseFiles files = FilesOf({SampleTable()}, manifest);
  files["tables/work.csv"] = "x\n";
  EXPECT_THAT(TablesText(files, manifest, "out"), StatusIs(absl::StatusCode::kInternal, "tables/work.csv"));
}

}  // namespace
}  // namespace sluis::cli
