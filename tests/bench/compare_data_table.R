# Tabulates the columns that tabulate_bench dumped, with data.table: count and sum by four dimensions, two threads,
# best of ten. Run by compare_data_table.sh.
suppressPackageStartupMessages(library(data.table))
folder <- commandArgs(trailingOnly = TRUE)[1]
sluis <- strsplit(readLines(file.path(folder, "sluis.txt"))[1], " ")[[1]]
n <- as.numeric(sluis[3])
codes <- function(name) readBin(file.path(folder, paste0(name, ".i32")), "integer", n = n, size = 4)
persons <- data.table(
  origin = codes("origin"), sex = codes("sex"), age = codes("age"), region = codes("region"),
  amount = readBin(file.path(folder, "amount.f64"), "double", n = n, size = 8)
)
setDTthreads(2)
best <- Inf
for (run in 1:10) {
  time <- system.time(table <- persons[, .(n = .N, total = sum(amount)), by = .(origin, sex, age, region)])
  best <- min(best, time[["elapsed"]])
}
stopifnot(nrow(table) == as.numeric(sluis[5]), sum(table$total) == as.numeric(sluis[7]), sum(table$n) == n)
cat(sprintf("data.table %s, %d threads: best_ms %.1f; the same cells and sums\n",
            packageVersion("data.table"), getDTthreads(), 1000 * best))
cat(sprintf("ratio data.table / sluis: %.1f\n", 1000 * best / as.numeric(sluis[9])))
