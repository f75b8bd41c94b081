#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "common/status/matchers.h"
#include "disclosure/release/make_release.h"
#include "disclosure/release/render_text.h"
#include "disclosure/release/write_csv.h"
#include "disclosure/release/write_json_stat.h"
#include "tests/disclosure/release/sample.h"

namespace sluis::disclosure {
namespace {

using common::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::SampleRates;
using testing::SampleTable;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

TEST(ValidateReleasedTable, FindsEachBrokenPart) {
  SLUIS_EXPECT_OK(ValidateReleasedTable(SampleTable()));
  const auto broken = [](auto change) {
    ReleasedTable table = SampleTable();
    change(table);
    return ValidateReleasedTable(table);
  };
  EXPECT_THAT(broken([](auto& t) { t.dimensions.clear(); }), StatusIs(kInvalid, "has no dimension"));
  EXPECT_THAT(broken([](auto& t) { t.dimensions[1].name = "origin"; }), StatusIs(kInvalid, "dimension origin"));
  EXPECT_THAT(broken([](auto& t) { t.dimensions[1].name = "value"; }), StatusIs(kInvalid, "cannot head a column"));
  EXPECT_THAT(broken([](auto& t) { t.dimensions[1].name = "sex_label"; }), StatusIs(kInvalid, "cannot head a column"));
  EXPECT_THAT(broken([](auto& t) { t.dimensions[1].codes[2].code = "F"; }), StatusIs(kInvalid, "stands twice"));
  EXPECT_THAT(broken([](auto& t) { t.dimensions[1].codes[2].level = 0; }), StatusIs(kInvalid, "does not follow"));
  EXPECT_THAT(broken([](auto& t) { t.dimensions[1].codes[1].level = 2; }), StatusIs(kInvalid, "does not follow"));
  EXPECT_THAT(broken([](auto& t) { t.measures.clear(); }), StatusIs(kInvalid, "has no measure"));
  EXPECT_THAT(broken([](auto& t) { t.values.pop_back(); }), StatusIs(kInvalid, "one value a cell"));
  EXPECT_THAT(broken([](auto& t) { t.values[0] = -1; }), StatusIs(kInvalid, "negative"));
}

TEST(ReleasedTable, KnowsCodesAndParents) {
  const ReleasedTable table = SampleTable();
  EXPECT_EQ(table.Cells(), 15);
  EXPECT_EQ(table.CodeOf(11, 0), 3u);
  EXPECT_EQ(table.CodeOf(11, 1), 2u);
  EXPECT_THAT(table.Parents(0), ElementsAre(-1, 0, 0, 2, 2));
}

TEST(TidyCsv, ComesBackAsItWas) {
  const ReleasedTable table = SampleTable();
  const std::string csv = WriteTidyCsv(table);
  EXPECT_THAT(csv, HasSubstr("origin,origin_label,origin_level,sex,sex_label,sex_level,measure,unit,value,flag\n"));
  EXPECT_THAT(csv, HasSubstr("TOT,Total,0,F,\"Women\nand girls\",1,people,persons,1125899906842624,F\n"));
  EXPECT_THAT(csv,
              HasSubstr("NLD,\"The \"\"Netherlands\"\", proper\",1,F,\"Women\nand girls\",1,people,persons,NaN,C\n"));
  const auto back = ReadTidyCsv(csv, "work");
  SLUIS_ASSERT_OK(back);
  EXPECT_TRUE(*back == table);
  const auto rates = ReadTidyCsv(WriteTidyCsv(SampleRates()), SampleRates().name);
  SLUIS_ASSERT_OK(rates);
  EXPECT_TRUE(*rates == SampleRates());
}

TEST(TidyCsv, RefusesTamperedFiles) {
  const std::string good = WriteTidyCsv(SampleTable());
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string bad = good;
    const std::size_t at = bad.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return ReadTidyCsv(bad.replace(at, from.size(), to), "f.csv");
  };
  EXPECT_THAT(with("NaN,C", "NaN,F"), StatusIs(kInvalid, "f.csv: row 10: value and flag contradict"));
  EXPECT_THAT(with("NaN,C", "7,C"), StatusIs(kInvalid, "row 10: value and flag contradict"));
  EXPECT_THAT(with("persons,0,F", "persons,0.5,F"), StatusIs(kInvalid, "row 2: column value: is no whole number"));
  EXPECT_THAT(with("persons,0,F", "persons,,F"), StatusIs(kInvalid, "row 2: column value"));
  EXPECT_THAT(with("sex_level", "sex_depth"), StatusIs(kInvalid, "row 1: is not the header"));
  EXPECT_THAT(with("TOT,Total,0,M,Men,1,people,persons", "TOT,Total,0,M,Men,1,people,heads"),
              StatusIs(kInvalid, "column measure: not the measure"));
  EXPECT_THAT(with("NLD,\"The \"\"Netherlands\"\", proper\",1,T,Total,0,wages", "TUR,Türkiye,2,T,Total,0,wages"),
              StatusIs(kInvalid, "column origin: not the code"));
  EXPECT_THAT(ReadTidyCsv(good.substr(0, good.rfind("MAR")), "f.csv"), StatusIs(kInvalid, "one value a cell"));
  EXPECT_THAT(ReadTidyCsv(good + good.substr(good.find('\n') + 1), "f.csv"), StatusIs(kInvalid, "row 32"));
}

TEST(SdmxCsv, WritesOneRowAnObservationWithPublicCodesOnly) {
  const auto csv = WriteSdmxCsv(SampleTable(), {.agency = "NSI.STAT", .version = "2.1", .with_labels = true});
  SLUIS_ASSERT_OK(csv);
  EXPECT_THAT(*csv, ::testing::StartsWith("STRUCTURE,STRUCTURE_ID,ACTION,ORIGIN,SEX,INDICATOR,OBS_VALUE,OBS_STATUS,"
                                          "CONF_STATUS,UNIT_MEASURE\r\n"));
  EXPECT_THAT(*csv, HasSubstr("dataflow,NSI.STAT:WORK(2.1),I,\"NLD: The \"\"Netherlands\"\", proper\",F: Women and "
                              "girls,people,NaN,Q,C,persons\r\n"));
  EXPECT_THAT(*csv, HasSubstr(",I,XNL: Abroad (all),T: Total,"));
  EXPECT_EQ(std::count(csv->begin(), csv->end(), '\n'), 31) << "a label's line break would split its row";
  const auto plain = WriteSdmxCsv(SampleTable(), {});
  SLUIS_ASSERT_OK(plain);
  EXPECT_THAT(*plain, HasSubstr("dataflow,SLUIS:WORK(1.0),I,TOT,F,people,1125899906842624,A,F,persons\r\n"));
  EXPECT_THAT(WriteSdmxCsv(SampleTable(), {.agency = "a,b"}), StatusIs(kInvalid, "sdmx agency"));
  EXPECT_THAT(WriteSdmxCsv(SampleTable(), {.version = "x"}), StatusIs(kInvalid, "sdmx version"));
}

TEST(WithoutLineBreaks, ReplacesAllThatSplitLinesSomewhere) {
  EXPECT_EQ(WithoutLineBreaks("a\nb\rc\vd\fe\x1c"
                              "f\x1dg\x1eh\xC2\x85i\xE2\x80\xA8j\xE2\x80\xA9k é"),
            "a b c d e f g h i j k é");
}

TEST(JsonStat, LeavesSuppressedPositionsOutAndMarksThem) {
  const ReleasedTable table = SampleTable();
  const auto json = nlohmann::ordered_json::parse(WriteJsonStat(table));
  EXPECT_EQ(json["version"], "2.0");
  EXPECT_EQ(json["class"], "dataset");
  EXPECT_EQ(json["id"], nlohmann::json({"origin", "sex", "measure"}));
  EXPECT_EQ(json["size"], nlohmann::json({5, 3, 2}));
  EXPECT_EQ(json["value"].size(), 27u);
  EXPECT_EQ(json["value"]["2"].dump(), "1125899906842624");
  EXPECT_EQ(json["status"].size(), 3u);
  for (const char* position : {"8", "9", "29"}) {
    EXPECT_FALSE(json["value"].contains(position));
    EXPECT_EQ(json["status"][position], "C");
  }
  const auto& category = json["dimension"]["origin"]["category"];
  EXPECT_EQ(category["index"], nlohmann::json({"TOT", "NLD", "XNL", "TUR", "MAR"}));
  std::vector<std::string> labels;
  for (const auto& [code, label] : category["label"].items()) labels.push_back(code);
  EXPECT_THAT(labels, ElementsAre("TOT", "NLD", "XNL", "TUR", "MAR")) << "some readers go by the labels' order";
  EXPECT_EQ(category["label"]["MAR"], "MAR") << "an empty label breaks readers";
  EXPECT_EQ(category["child"]["XNL"], nlohmann::json({"TUR", "MAR"}));
  EXPECT_EQ(json["dimension"]["measure"]["category"]["unit"]["wages"]["label"], "EUR/month");
}

TEST(LinkageRates, ShowARateOnlyIfAllThreeArePublished) {
  EXPECT_FALSE(IsLinkageRate(SampleTable()));
  EXPECT_TRUE(LinkageRates(SampleTable()).empty());
  const std::vector<LinkageRate> rates = LinkageRates(SampleRates());
  ASSERT_EQ(rates.size(), 4u);
  EXPECT_EQ(rates[0].per_mille, 917);  // 916.7
  EXPECT_EQ(rates[1].per_mille, 925);
  EXPECT_EQ(rates[2].records, 200);
  EXPECT_FALSE(rates[2].per_mille.has_value());
  EXPECT_FALSE(rates[3].per_mille.has_value()) << "no records, no rate";
}

TEST(RenderText, IndentsHierarchiesAndMarksSuppressedCells) {
  ReleasedTable table = SampleTable();
  table.measures.resize(1);
  table.values.clear();
  for (std::int64_t i = 0; i < 15; ++i) table.values.emplace_back(i * 1000);
  table.values[4] = std::nullopt;
  EXPECT_EQ(RenderText(table, {.width = 80}),
            "work\n"
            "\n"
            "people, persons\n"
            "origin / sex                  Total  Women and girls     Men\n"
            "------------------------------------------------------------\n"
            "Total                             0            1 000   2 000\n"
            "  The \"Netherlands\", proper   3 000                :   5 000\n"
            "  Abroad (all)                6 000            7 000   8 000\n"
            "    Türkiye                   9 000           10 000  11 000\n"
            "    MAR                      12 000           13 000  14 000\n"
            "\n"
            ": confidential\n");
}

TEST(RenderText, SplitsWideTablesAndKeepsToTheWidth) {
  ReleasedTable table;
  table.name = "wide";
  ReleasedDimension down{"age", {{"T", "Total", 0}, {"a", "15 to 24 years", 1}}}, across{"region", {{"T", "Total", 0}}};
  for (int i = 0; i < 30; ++i)
    across.codes.push_back({"r" + std::to_string(i), "Région number " + std::to_string(i), 1});
  const ReleasedDimension third{"sex", {{"T", "Both", 0}, {"F", "Women", 1}, {"M", "Men", 1}}};
  table.dimensions = {down, across, third};
  table.measures = {{"people", "persons"}};
  table.values.assign(2 * 31 * 3, 123'456);
  const std::string text = RenderText(table, {.width = 60, .max_sections = 2});
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto columns = std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xC0) != 0x80; });
    EXPECT_LE(columns, 60) << line;
  }
  EXPECT_THAT(text, HasSubstr("people, persons; sex: Women\n"));
  EXPECT_THAT(text, Not(HasSubstr("sex: Men")));
  EXPECT_THAT(text, HasSubstr("\nShown: 2 of 3 sections\n"));
  EXPECT_THAT(text, HasSubstr("Région number 29"));
}

TEST(RenderText, ShowsUpperLevelsFirstAndSaysWhatIsLeftOut) {
  ReleasedTable table = SampleTable();
  const std::string three = RenderText(table, {.max_rows = 3});
  EXPECT_THAT(three, HasSubstr("  Abroad (all)"));
  EXPECT_THAT(three, Not(HasSubstr("Türkiye")));
  EXPECT_THAT(three, HasSubstr("\nShown: 3 of 5 rows\n"));
  const std::string two = RenderText(table, {.max_rows = 2});
  EXPECT_THAT(two, HasSubstr("Netherlands"));
  EXPECT_THAT(two, Not(HasSubstr("Abroad")));
  EXPECT_THAT(two, HasSubstr("\nShown: 2 of 5 rows\n"));
  EXPECT_THAT(RenderText(table, {.max_rows = 5}), Not(HasSubstr("Shown:")));
  EXPECT_THAT(RenderText(SampleRates(), {.max_rows = 1}), HasSubstr("\nShown: 1 of 4 rows\n"));
}

TEST(RenderText, ShowsLinkageRatesAsPercentages) {
  const std::string text = RenderText(SampleRates(), {});
  EXPECT_THAT(text, HasSubstr("found  not found  records    rate\n"));
  EXPECT_THAT(text, HasSubstr("Total           1 100        100    1 200  91.7 %\n"));
  EXPECT_THAT(text, HasSubstr("  Turkey            :          :      200       :\n"));
}

}  // namespace
}  // namespace sluis::disclosure
