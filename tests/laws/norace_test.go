//go:build !race

package laws_test

// thorough is whether tests are run that do nothing side by side which others do not.
const thorough = true

// usual is how many worlds a plain test run plays.
const usual = 150

// usualStride is how many calls lie between two at which a process is killed in a plain test run.
const usualStride = 5
