package template

import (
	"errors"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/deploy/fault"
)

// networking are the actions with which Lambda joins a function to a VPC.
var networking = []string{"ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DeleteNetworkInterface",
	"ec2:DescribeSubnets", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"}

// checkVPC wants a function in a VPC to be allowed to join it. Ours must also have
// a way out: the authorizer to the issuer, the login service to providers and AWS.
func (t *Template) checkVPC() error {
	return t.each("AWS::Lambda::Function", func(_ string, r *Resource) error {
		if len(r.Properties.At("VpcConfig", "SubnetIds").List()) == 0 {
			return nil
		}
		var errs []error
		role := t.Resources[roleOf(r)]
		if role != nil && !joins(role) {
			errs = append(errs, fault.New("vpc-actions", "is in a VPC, and its role may not make network interfaces: allow %s on resource *", strings.Join(networking[:3], ", ")))
		}
		if t.ours(r) && !t.hasWayOut() {
			errs = append(errs, fault.New("vpc-issuer", "is in a VPC, and nothing in this template leads from there to the issuer: take vpc out, or see that its subnets have a NAT gateway and waive this finding"))
		}
		return errors.Join(errs...)
	})
}

// joins tells whether a role may make network interfaces.
func joins(role *Resource) bool {
	for _, arn := range role.Properties.At("ManagedPolicyArns").List() {
		if text := arn.String(); strings.Contains(text, "AWSLambdaVPCAccessExecutionRole") || strings.Contains(text, "AWSLambdaENIManagementAccess") || strings.Contains(text, "AdministratorAccess") {
			return true
		}
	}
	return !slices.ContainsFunc(networking[:3], func(action string) bool {
		return !slices.ContainsFunc(statements(role), func(s Value) bool { return s.At("Effect").Is("Allow") && s.allows(action) })
	})
}

// hasWayOut tells whether the template has what leads out of a VPC.
func (t *Template) hasWayOut() bool {
	for _, r := range t.Resources {
		if r.Type == "AWS::EC2::NatGateway" || r.Type == "AWS::EC2::TransitGatewayAttachment" {
			return true
		}
	}
	return false
}
