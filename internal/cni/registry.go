package cni

import (
	"slices"

	"github.com/cniguard/cniguard/internal/cluster"
)

// commonAccount has the images of most regions.
const commonAccount = "602401143452"

// commonRegions are those whose images are in commonAccount's registries (EKS user guide, "View Amazon container image registries").
var commonRegions = []string{
	"ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ca-central-1", "eu-central-1", "eu-north-1",
	"eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2",
}

// accounts have the images of the other regions (facts-eks-vpc-cni.md, 6.2).
var accounts = map[string]string{
	"af-south-1": "877085696533", "ap-east-1": "800184023465", "ap-east-2": "533267051163", "ap-south-2": "900889452093",
	"ap-southeast-3": "296578399912", "ap-southeast-4": "491585149902", "ap-southeast-5": "151610086707", "ap-southeast-6": "333609536671",
	"ap-southeast-7": "121268973566", "ca-west-1": "761377655185", "cn-north-1": "918309763551", "cn-northwest-1": "961992271922",
	"eu-central-2": "900612956339", "eu-isoe-west-1": "249663109785", "eu-south-1": "590381155156", "eu-south-2": "455263428931",
	"il-central-1": "066635153087", "me-central-1": "759879836304", "me-south-1": "558608220178", "mx-central-1": "730335286997",
	"us-gov-east-1": "151742754352", "us-gov-west-1": "013241004608", "us-iso-east-1": "725322719131", "us-iso-west-1": "608367168043",
	"us-isob-east-1": "187977181151", "us-isob-west-1": "321162350305", "us-isof-east-1": "171035529773", "us-isof-south-1": "676585237158",
}

// Registry is where EKS keeps the VPC CNI's images for a region: the account and the DNS suffix of ACCOUNT.dkr.ecr.REGION.DOMAIN. Of a region
// that is not known, the account is that of most regions.
func Registry(region string) (account, domain string, known bool) {
	domain = cluster.PartitionOf(region).DNS
	if account, known = accounts[region]; known {
		return account, domain, true
	}
	return commonAccount, domain, slices.Contains(commonRegions, region)
}

// Agent is the release of the network policy agent that a release's own manifest has beside aws-node; empty: none, or it is not known. The
// agent has versions of its own, and there is no rule (release notes of amazon-vpc-cni-k8s, "Verify the update"; 1.23: #3739).
func Agent(v Version) string {
	return map[Version]string{
		core(1, 14, 0): "v1.0.1", core(1, 14, 1): "v1.0.2", core(1, 18, 1): "v1.1.1", core(1, 18, 5): "v1.1.3", core(1, 19, 6): "v1.2.2",
		core(1, 20, 3): "v1.2.6", core(1, 22, 2): "v1.3.5", core(1, 22, 3): "v1.3.7", core(1, 22, 4): "v1.4.0", core(1, 23, 0): "v1.4.1",
		core(1, 23, 1): "v1.4.2",
	}[core(v.Major, v.Minor, v.Patch)]
}
