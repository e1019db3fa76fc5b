"""EC2's launch rules in whole instances, and Auto Scaling's balance over zones."""
