#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "common/status/matchers.h"
#include "disclosure/release/write_csv.h"
#include "disclosure/release/write_json_stat.h"
#include "tests/disclosure/release/sample.h"

// Reads the exports with what is not ours: csv and json of Python's standard library, in the way that sdmx1, pandas and
// the JSON-stat readers do.

namespace sluis::disclosure {
namespace {

constexpr char kReader[] = R"(
import csv, io, json, sys
folder = sys.argv[1]
def text(name):
    return open(folder + '/' + name, encoding='utf-8', newline='').read()

tidy = list(csv.DictReader(io.StringIO(text('t.csv'), newline='')))
assert len(tidy) == 30, len(tidy)
hidden = [r for r in tidy if r['flag'] == 'C']
assert [r['value'] for r in hidden] == ['NaN'] * 3
assert all(int(r['value']) >= 0 for r in tidy if r['flag'] == 'F')
assert tidy[6]['origin_label'] == 'The "Netherlands", proper'
assert tidy[2]['value'] == '1125899906842624'

# sdmx1 splits lines before it reads CSV: no label may hold anything that Python takes for the end of a line.
lines = text('t.sdmx.csv').splitlines()
assert len(lines) == 31, len(lines)
rows = list(csv.reader(lines))
assert rows[0][:3] == ['STRUCTURE', 'STRUCTURE_ID', 'ACTION'], rows[0]
assert all(len(r) == len(rows[0]) for r in rows)
column = {name: i for i, name in enumerate(rows[0])}
for row, plain in zip(rows[1:], tidy):
    assert row[column['ACTION']] == 'I'
    expected = ('NaN', 'Q', 'C') if plain['flag'] == 'C' else (plain['value'], 'A', 'F')
    assert (row[column['OBS_VALUE']], row[column['OBS_STATUS']], row[column['CONF_STATUS']]) == expected
    assert row[column['ORIGIN']].split(': ')[0] == plain['origin']

stat = json.loads(text('t.json'))
assert stat['version'] == '2.0' and stat['class'] == 'dataset'
assert set(stat['id']) == set(stat['dimension'])
size = 1
for name, n in zip(stat['id'], stat['size']):
    category = stat['dimension'][name]['category']
    assert len(category['index']) == n and list(category['label']) == category['index']
    assert all(category['label'].values())
    size *= n
assert size == len(tidy)
for i, plain in enumerate(tidy):
    key = str(i)
    assert (key in stat['value']) == (plain['flag'] == 'F')
    assert (stat['status'].get(key) == 'C') == (plain['flag'] == 'C')
    if key in stat['value']:
        assert stat['value'][key] == int(plain['value'])
)";

TEST(ExportInterop, PythonReadsAllThreeFormatsAlike) {
  if (std::system("python3 -c 'import csv, json' >/dev/null 2>&1") != 0) {
    GTEST_SKIP() << "python3 is not installed: exports are not read by another implementation";
  }
  const std::string folder = ::testing::TempDir() + "/export_interop_" + std::to_string(::getpid());
  ASSERT_EQ(std::system(("mkdir -p '" + folder + "'").c_str()), 0);
  const ReleasedTable table = testing::SampleTable();
  const auto sdmx = WriteSdmxCsv(table, {.with_labels = true});
  SLUIS_ASSERT_OK(sdmx);
  std::ofstream(folder + "/t.csv", std::ios::binary) << WriteTidyCsv(table);
  std::ofstream(folder + "/t.sdmx.csv", std::ios::binary) << *sdmx;
  std::ofstream(folder + "/t.json", std::ios::binary) << WriteJsonStat(table);
  std::ofstream(folder + "/read.py", std::ios::binary) << kReader;
  EXPECT_EQ(std::system(("python3 '" + folder + "/read.py' '" + folder + "'").c_str()), 0);
  EXPECT_EQ(std::system(("rm -r '" + folder + "'").c_str()), 0);
}

}  // namespace
}  // namespace sluis::disclosure
