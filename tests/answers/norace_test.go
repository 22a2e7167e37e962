//go:build !race

package answers_test

const (
	many   = 5000 // clusters that a region has
	share  = 1    // of the clusters that people on call have, one in so many
	daysOn = 30   // that they are on call
)
