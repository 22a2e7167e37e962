package cloud_test

import (
	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/cluster"
)

// kept is the alarm that the built-in settings call for.
func kept(id cluster.ID) alarm.Spec {
	return alarm.Wish{Cluster: id, Warning: 80, Owner: id.Account}.Want(alarm.PodSubnets)
}
