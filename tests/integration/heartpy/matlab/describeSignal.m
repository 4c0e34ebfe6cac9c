function result = describeSignal(file, name, factor)
%DESCRIBESIGNAL  Count, extremes, mean and standard deviation of a signal in a MAT file.
%   result = describeSignal(file, name, factor) also says how often the signal
%   rises above mean + factor * std.
    data = load(file, name);
    signal = double(data.(name)(:));
    result.count = numel(signal);
    result.min = min(signal);
    result.max = max(signal);
    result.mean = mean(signal);
    result.std = std(signal, 1);
    high = signal >= result.mean + factor * result.std;
    result.rises = sum(~high(1:end-1) & high(2:end));
end
