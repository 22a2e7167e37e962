//go:build !race

package answers_test

// many is how many clusters a region has.
const many = 5000
