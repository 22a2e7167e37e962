//go:build race

package laws_test

// thorough is whether tests are run that do nothing side by side which others do not.
const thorough = false

// usual is how many worlds a plain test run plays; the race detector makes each some ten times slower.
const usual = 40

// usualStride is how many calls lie between two at which a process is killed in a plain test run.
const usualStride = 61
