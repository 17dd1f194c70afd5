DROP TABLE plan_runs;
DROP TABLE follow_up_plans;
