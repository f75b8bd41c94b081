# Tabulates the columns that tabulate_bench dumped, with data.table: count and sum by four dimensions, two threads,
# best of five, by the clock and in processor time of all threads. Run by compare_data_table.sh.
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
best_cpu <- Inf
for (run in 1:5) {
  time <- system.time(table <- persons[, .(n = .N, total = sum(amount)), by = .(origin, sex, age, region)])
  best <- min(best, time[["elapsed"]])
  best_cpu <- min(best_cpu, time[["user.self"]] + time[["sys.self"]])
}
stopifnot(nrow(table) == as.numeric(sluis[5]), sum(table$total) == as.numeric(sluis[7]), sum(table$n) == n)
cat(sprintf("data.table %s, %d threads: best_ms %.1f best_cpu_ms %.1f; the same cells and sums\n",
            packageVersion("data.table"), getDTthreads(), 1000 * best, 1000 * best_cpu))
cat(sprintf("ratio data.table / sluis: %.1f by the clock, %.1f in processor time\n",
            1000 * best / as.numeric(sluis[9]), 1000 * best_cpu / as.numeric(sluis[11])))
