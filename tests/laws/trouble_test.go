package laws_test

import (
	"cmp"
	"time"

	"github.com/cniguard/cniguard/internal/world"
)

// harm draws what goes wrong: faults of AWS and of the ledger for a while, readings that are denied all along, and processes
// that die.
func (s *scene) harm(d dice, trouble time.Duration) {
	for range pick(d, 0, 0, 0, 1, 2, 3) {
		f := pick(d, passing()...)
		f.From = d.span(0, trouble-time.Hour)
		f.Until = f.From + d.span(2*time.Minute, pick(d, 10*time.Minute, time.Hour))
		s.spec.Faults = append(s.spec.Faults, f)
	}
	if d.chance(.1) {
		f := pick(d, denials()...)
		f.Account, f.Region = s.spec.Clusters[0].Account, s.spec.Clusters[0].Region
		if f.Service == "sts" {
			f.Region = "" // the endpoint of STS is the hub's
		}
		s.spec.Faults = append(s.spec.Faults, f)
	}
	for i := range s.spec.Faults {
		s.spec.Faults[i].Principal = cmp.Or(s.spec.Faults[i].Principal, "cniguard-") // what others do is their own affair
	}
	for range pick(d, 0, 0, 1, 2) {
		s.kills = append(s.kills, kill{at: d.span(time.Minute, trouble-30*time.Minute), n: d.number(1, 40), after: d.chance(.5)})
	}
}

// passing are faults that end.
func passing() []world.Fault {
	all := []world.Fault{
		{Service: "eks", Code: "ThrottlingException", Chance: .3},
		{Service: "eks", Code: "ServiceUnavailableException", Chance: .5},
		{Service: "eks", Operation: "DescribeAddonVersions", Code: "ServerException"},
		{Service: "eks", Operation: "DescribeAddonConfiguration", Code: "ServerException"},
		{Service: "eks", Operation: "ListClusters", Code: "ThrottlingException"},
		{Service: "eks", Operation: "DescribeUpdate", Code: "ServerException", Chance: .6},
		{Service: "eks", Operation: "ListUpdates", Code: "ThrottlingException", Chance: .8},
		{Service: "eks", Operation: "DescribeAddon", Code: "AccessDeniedException", Principal: "cniguard-observer"},
		{Service: "eks", Operation: "DescribeCluster", Code: "AccessDeniedException"},
		{Service: "eks", Latency: 12 * time.Second, Chance: .2},
		{Service: "ec2", Code: "RequestLimitExceeded", Chance: .5},
		{Service: "ec2", Operation: "DescribeSubnets", Code: "UnauthorizedOperation"},
		{Service: "cloudwatch", Code: "Throttling", Chance: .5},
		{Service: "cloudwatch", Operation: "PutMetricAlarm", Code: "LimitExceeded"},
		{Service: "cloudwatch", Operation: "PutMetricAlarm", Code: "InternalFailure", After: true, Times: 2},
		{Service: "cloudwatch", Operation: "PutMetricData", Code: "ConnectionReset", Chance: .7},
		{Service: "sns", Code: "Throttled", Chance: .7},
		{Service: "sns", Code: "KMSAccessDenied"},
		{Service: "sns", Code: "InternalError", Chance: .5, After: true},
		{Service: "sns", Latency: 11 * time.Second, Chance: .5},
		{Service: "events", Code: "InternalException", Chance: .6},
		{Service: "events", Code: "InternalException", Chance: .4, After: true},
		{Service: "sts", Code: "AccessDenied", Principal: "cniguard-updater"},
		{Service: "sts", Code: "AccessDenied", Principal: "cniguard-observer"},
	}
	for _, op := range []string{"Load", "Save", "Due", "In", "Orders", "Fleet", "Digest", "SaveDigest", "DueDigests", "Digested", "SetDigested"} {
		all = append(all,
			world.Fault{Service: "ledger", Operation: op, Code: "InternalServerError", Chance: .5},
			world.Fault{Service: "ledger", Operation: op, Code: "ProvisionedThroughputExceededException", Chance: .2})
	}
	return append(append(all, insideTroubles()...),
		world.Fault{Service: "ledger", Operation: "Save", Code: "InternalServerError", Chance: .3, After: true},
		world.Fault{Service: "ledger", Latency: 40 * time.Second, Chance: .1},
		world.Fault{Service: "ledger", Latency: 6 * time.Minute, Chance: .03}, // beyond the time-out of a function
		world.Fault{Service: "eks", Operation: "UpdateAddon", Code: "ConnectionReset", After: true},
		world.Fault{Service: "eks", Operation: "UpdateAddon", Code: "ServerException", After: true, Times: 1},
		world.Fault{Service: "eks", Operation: "UpdateAddon", Code: "ServerException", Times: 2},
		world.Fault{Service: "eks", Operation: "UpdateAddon", Latency: 11 * time.Second},
		world.Fault{Service: "eks", Operation: "UpdateAddon", Code: "InvalidRequestException", Times: 1},
		world.Fault{Service: "eks", Operation: "UpdateAddon", Code: "AccessDeniedException"},
	)
}

// denials are readings that are denied in one account and region from the start to the end.
func denials() []world.Fault {
	return []world.Fault{
		{Service: "eks", Operation: "DescribeCluster", Code: "AccessDeniedException"},
		{Service: "eks", Operation: "DescribeAddon", Code: "AccessDeniedException"},
		{Service: "eks", Operation: "DescribeAddonVersions", Code: "AccessDeniedException"},
		{Service: "eks", Operation: "DescribeAddonConfiguration", Code: "AccessDeniedException"},
		{Service: "eks", Operation: "ListNodegroups", Code: "AccessDeniedException"},
		{Service: "ec2", Operation: "DescribeSubnets", Code: "UnauthorizedOperation"},
		{Service: "ec2", Operation: "DescribeInstances", Code: "UnauthorizedOperation"},
		{Service: "cloudwatch", Operation: "DescribeAlarms", Code: "AccessDenied"},
		{Service: "cloudwatch", Operation: "PutMetricAlarm", Code: "AccessDenied"},
		{Service: "cloudwatch", Operation: "PutMetricData", Code: "AccessDenied"},
		{Service: "sts", Code: "AccessDenied", Principal: "cniguard-observer"},
	}
}
