# Golden numbers of paired areas under ROC curves: DeLong's covariance by pROC, and Obuchowski's for clustered rows by its
# definition, pair by pair. Run `cargo xtask golden`; needs Debian's r-cran-proc. Writes delong.json beside this file.
suppressMessages(library(pROC))
set.seed(20)
path <- file.path(dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE))), "delong.json")

numbers <- function(x) paste0("[", paste(format(x, digits = 17, trim = TRUE), collapse = ","), "]")
flags <- function(x) paste0("[", paste(ifelse(x, "true", "false"), collapse = ","), "]")

# The definition: 1 for a win above a loss, one half for a tie.
clustered <- function(won, scores, cluster) {
  wins <- which(won); losses <- which(!won); m <- length(wins); n <- length(losses)
  placed <- lapply(scores, function(s) {
    pairs <- outer(s[wins], s[losses], function(a, b) (a > b) + 0.5 * (a == b))
    list(auc = mean(pairs), v10 = rowMeans(pairs), v01 = colMeans(pairs))
  })
  groups <- sort(unique(cluster))
  i10 <- length(unique(cluster[wins])); i01 <- length(unique(cluster[losses])); i <- length(groups)
  one <- function(r, s) {
    a <- placed[[r]]; b <- placed[[s]]
    per <- sapply(groups, function(g) {
      w <- cluster[wins] == g; l <- cluster[losses] == g
      c(sum(a$v10[w] - a$auc), sum(b$v10[w] - b$auc), sum(a$v01[l] - a$auc), sum(b$v01[l] - b$auc))
    })
    s10 <- i10 / ((i10 - 1) * m) * sum(per[1, ] * per[2, ])
    s01 <- i01 / ((i01 - 1) * n) * sum(per[3, ] * per[4, ])
    s11 <- i / (i - 1) * (sum(per[1, ] * per[4, ]) + sum(per[3, ] * per[2, ])) / (m * n)
    s10 / m + s01 / n + s11
  }
  c(one(1, 1), one(1, 2), one(2, 2))
}

case <- function(name, won, a, b, cluster) {
  first <- roc(won, a, direction = "<", levels = c(FALSE, TRUE), quiet = TRUE)
  second <- roc(won, b, direction = "<", levels = c(FALSE, TRUE), quiet = TRUE)
  delong <- c(var(first), cov(first, second), var(second))
  test <- roc.test(first, second, method = "delong", paired = TRUE)
  sprintf('{"name":"%s","labels":%s,"first":%s,"second":%s,"clusters":%s,"areas":%s,"delong":%s,"z":%s,"clustered":%s}', name, flags(won),
          numbers(a), numbers(b), numbers(cluster), numbers(c(auc(first), auc(second))), numbers(delong),
          numbers(unname(test$statistic)), numbers(clustered(won, list(a, b), cluster)))
}

n <- 240
signal <- rnorm(n)
won <- runif(n) < plogis(-1 + signal)
lead <- sample(1:90, n, replace = TRUE)
cases <- c(
  case("distinct", won, signal + rnorm(n), signal + 2 * rnorm(n), 1:n),
  case("ties", won, round(signal + rnorm(n)), round(2 * signal + rnorm(n)), 1:n),
  case("clusters", won, signal + rnorm(n), round(signal + 2 * rnorm(n)), lead),
  case("clusters of one label", won, signal, -signal + rnorm(n), ifelse(won, 1, 100) + sample(0:25, n, replace = TRUE))
)
writeLines(paste0("[\n", paste(cases, collapse = ",\n"), "\n]"), path)
