#!/usr/bin/env node
"use strict";
require("../dist/chankit.cjs");
