//go:build race

package answers_test

// The race detector makes all some ten times slower, and would see nothing new in more.
const (
	many   = 400 // clusters that a region has
	share  = 10  // of the clusters that people on call have, one in so many
	daysOn = 6   // that they are on call
)
